//! Who is at their page, and who is away.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::support::{Tab, run};

/// The browser says that the tab is in the background, or in front. (WebDriver has every tab in front.)
const SHOW: &str =
    "Object.defineProperty(document, 'hidden', { configurable: true, get: () => !arguments[0] });
    document.dispatchEvent(new Event('visibilitychange'));";
/// Two minutes pass for the page, but for its timers.
const LATER: &str = "for (const clock of [performance, Date]) {
        const now = clock.now.bind(clock);
        clock.now = () => now() + 121_000;
    }";
/// The mark beside a name: its shape, what a pointer is shown, and what is read aloud.
const MARK: &str =
    "const mark = document.querySelector(arguments[0])?.querySelector('[data-testid=activity]');
    return mark ? [mark.dataset.look, mark.title, mark.textContent].join() : ''";

async fn show(tab: &Tab, shown: bool) -> Result<()> {
    tab.script(SHOW, vec![shown.into()]).await.map(drop)
}

async fn sees(tab: &Tab, user: &str, mark: &str) -> Result<()> {
    let row = format!("[data-testid=peer][data-user='{user}']");
    tab.until_script(MARK, &[&row], mark).await
}

const ACTIVE: &str = "active,Active,Active";
const AWAY: &str = "away,Away,Away";

#[test]
fn people_see_who_is_at_their_page_and_who_is_away() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let chromium = bed.chromium().await?;
        let ann = chromium.open(site.url()).await?;
        ann.join("ann").await?;
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.until("the field for a name", |page| page.has("name"))
            .await?;
        // Ben's tab was opened in the background.
        show(&ben, false).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        sees(&ben, "ann", ACTIVE).await?;
        sees(&ann, "ben", AWAY).await?;
        show(&ben, true).await?;
        sees(&ann, "ben", ACTIVE).await?;

        // It stands in the details, and in the list of conversations.
        ann.click("person").await?;
        let page = ann
            .until("the details", |page| page.has("person-details"))
            .await?;
        ensure!(page.text("person-details").contains("Active: "), "{page:?}");
        ann.click("open-dm").await?;
        ann.say("between us").await?;
        ann.until("the list", |page| page.has("conversations"))
            .await?;
        let listed = "[data-testid=conversation]:not([data-id^='#'])";
        ann.until_script(MARK, &[listed], ACTIVE).await?;

        // Becoming away takes a while, and whoever comes back is active at once.
        show(&ben, false).await?;
        ben.script(LATER, Vec::new()).await?;
        sees(&ann, "ben", AWAY).await?;
        ann.until_script(MARK, &[listed], AWAY).await?;
        show(&ben, true).await?;
        sees(&ann, "ben", ACTIVE).await?;

        // Whoever has two tabs is active if they are in one of them.
        show(&ann, false).await?;
        ann.script(LATER, Vec::new()).await?;
        sees(&ben, "ann", AWAY).await?;
        let other = chromium.open(site.url()).await?;
        other.joined().await?;
        sees(&ben, "ann", ACTIVE).await?;
        sees(&ben, "ann(2)", ACTIVE).await?;
        bed.no_errors().await
    });
}
