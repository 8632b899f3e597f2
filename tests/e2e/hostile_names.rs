//! Names that are as long as Unicode allows, and that many people have left behind.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::hostile_member::eval;
use crate::support::{NOWHERE, Tab, run};

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

/// Sums up how long nothing else could happen in a page, in milliseconds. Pauses that nobody notices do not count.
const SUM_PAUSES: &str = r#"
    window.still = 0;
    let last = performance.now();
    setInterval(() => {
        const now = performance.now();
        if (now - last > 60) still += now - last;
        last = now;
    }, 10);
"#;

async fn number(tab: &Tab, script: &str) -> Result<f64> {
    Ok(eval(tab, script).await?.as_f64().unwrap_or(f64::NAN))
}

#[test]
fn names_that_strangers_have_left_behind_make_no_meeting_slow() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        eval(&ann, FILL_BOOK).await?;
        ann.reload().await?;
        ann.joined().await?;
        eval(&ann, SUM_PAUSES).await?;
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
        let still = number(&ann, "return still").await?;
        ensure!(
            still < 1_000.0,
            "ann's page stood still for {still} ms to meet four people"
        );
        // Nobody was forgotten, and nothing was set aside.
        let kept = "return [localStorage.getItem('rtchat/1/trust').split('\\n').length,
            localStorage.getItem('rtchat/1/trust.broken-1')].join()";
        let kept = eval(&ann, kept).await?;
        ensure!(kept == "501,", "{kept}");
        bed.no_errors().await
    });
}
