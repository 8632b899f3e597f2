//! The page after its program has panicked.

use anyhow::ensure;
use xtask::testbed::Broker;

use crate::support::run;

#[test]
fn a_page_that_breaks_says_why_and_offers_to_reload() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(site.url()).await?;
            tab.join("ann").await?;
            // A browser function that never throws does so now. It interrupts the program in the middle of its work.
            // One letter is enough: the others are told that somebody writes.
            let no_clock = "Performance.prototype.now = () => { throw new Error('no clock') };
                const field = document.querySelector('[data-testid=composer]');
                field.value = 'h';
                field.dispatchEvent(new Event('input', { bubbles: true }));";
            tab.script(no_clock, Vec::new()).await?;
            let page = tab.until("that it broke", |page| page.has("panic")).await?;
            let notice = page.text("panic");
            ensure!(notice.contains("stopped working"), "{notice}");
            ensure!(notice.contains("no clock"), "{notice}");

            tab.click_on("[data-testid=panic] button").await?;
            ensure!(tab.joined().await?.own == "ann");
        }
        Ok(())
    });
}
