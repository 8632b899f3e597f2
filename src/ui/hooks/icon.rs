//! The icon of the tab, with the number of what waits.
//!
//! It is an address with an image in it, and nothing is drawn on a canvas, which browsers that protect people from being
//! recognised disturb or forbid. The icon of somebody's page is left alone: it stands for their page, other programs may
//! change it as well, and the bubble has the number.

use super::listen::document;

/// The badge on the bubble, up to the roundness of its corners. In an address, `#` is written as `%23`.
const BEFORE: &str = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><path fill='%230b6b63' \
    d='M16 3C8.3 3 2 8.2 2 14.7c0 3.7 2 6.9 5.2 9.1L6 29l6.3-3.2c1.2.3 2.4.4 3.7.4 7.7 0 14-5.2 14-11.5S23.7 3 16 3z'/>\
    <rect x='8' y='8' width='24' height='24' fill='%239c2f0e' rx='";
const BETWEEN: &str = "'/><text x='20' y='26' font-family='sans-serif' font-size='17' font-weight='700' \
    text-anchor='middle' fill='white'>";
const AFTER: &str = "</text></svg>";
/// Where the page's own icon is kept.
const OWN: &str = "data-own";

/// Shows how much waits: in a circle, or in a square if something mentions the person. The page's own icon, if nothing does.
pub fn show(waiting: u32, mentioned: bool) {
    let link = document().query_selector("link[rel=icon]").ok().flatten();
    let Some(link) = link else {
        return;
    };
    let own = link
        .get_attribute(OWN)
        .or_else(|| link.get_attribute("href"));
    let Some(own) = own else {
        return;
    };
    let address = if waiting == 0 {
        own.clone()
    } else {
        let number = waiting.to_string();
        let number = if waiting > 99 { "…" } else { &number };
        let corners = if mentioned { "4" } else { "12" };
        [BEFORE, corners, BETWEEN, number, AFTER].concat()
    };
    // They cannot fail for names of attributes.
    let _ = link.set_attribute(OWN, &own);
    let _ = link.set_attribute("href", &address);
}
