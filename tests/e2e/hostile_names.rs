//! Names that are as long as Unicode allows, and that many people have left behind.

use anyhow::ensure;
use xtask::testbed::Broker;

use crate::hostile_member::eval;
use crate::support::{NOWHERE, run};

/// Fills the trust book with as many people as it holds, each with as many names as are remembered. A letter becomes 18
/// in Unicode's compatibility decomposition.
const FILL_BOOK: &str = r#"
    const now = Date.now();
    const people = Array.from({ length: 500 }, (_, person) => {
        const key = btoa(String.fromCharCode(2, person >> 8, person & 255, ...Array(30).fill(7)));
        const name = (at) => `${now - 9} ${now - 9} - ${"\ufdfa".repeat(32)}${person}x${at}`;
        return [key.replaceAll("+", "-").replaceAll("/", "_"), now - 9, now - 9, 1, "-", "-",
            ...Array.from({ length: 8 }, (_, at) => name(at))].join("\t");
    });
    localStorage.setItem("rtchat/1/trust", ["1", ...people].join("\n"));
"#;

#[test]
fn a_book_full_of_long_names_is_kept_and_people_are_met() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        eval(&ann, FILL_BOOK).await?;
        ann.reload().await?;
        ann.joined().await?;
        let strangers = bed.chromium().await?;
        for name in ["ben", "cleo", "dan", "eve"] {
            let tab = strangers.open(&format!("{}{NOWHERE}", site.url())).await?;
            eval(&tab, "localStorage.clear()").await?;
            tab.go(site.url()).await?;
            tab.join(name).await?;
            ann.sees(&[name]).await?;
            tab.close().await?;
            ann.sees(&[]).await?;
        }
        // Nobody was forgotten, and nothing was set aside.
        let kept = "return [localStorage.getItem('rtchat/1/trust').split('\\n').length,
            localStorage.getItem('rtchat/1/trust.broken-1')].join()";
        let kept = eval(&ann, kept).await?;
        ensure!(kept == "501,", "{kept}");
        bed.no_errors().await
    });
}
