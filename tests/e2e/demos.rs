//! The demonstrations of the script tag and of the module.

use anyhow::Result;
use xtask::testbed::{Broker, Site};

use crate::support::{Bed, Tab, run};

/// The same page in both browsers.
async fn open_in_both_browsers(bed: &Bed, site: &Site, name: &str) -> Result<[Tab; 2]> {
    let url = format!("{}demo/{name}.html", site.url());
    let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
    Ok([chromium.open(&url).await?, firefox.open(&url).await?])
}

#[test]
fn visitors_see_each_others_cursors() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = open_in_both_browsers(&bed, &site, "cursors").await?;
        for tab in [&ann, &ben] {
            tab.shows("Here with you: anon-").await?;
        }
        let moves = "dispatchEvent(new PointerEvent('pointermove', { clientX: 50, clientY: 60 }))";
        for (from, to) in [(&ann, &ben), (&ben, &ann)] {
            from.script(moves, Vec::new()).await?;
            // The name beside the cursor, on a line of its own.
            to.shows("\nanon-").await?;
        }
        ben.close().await?;
        ann.shows("Here with you: nobody.").await?;
        bed.no_errors().await
    });
}

#[test]
fn visitors_answer_each_others_questions() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = open_in_both_browsers(&bed, &site, "questions").await?;
        for tab in [&ann, &ben] {
            tab.shows("With you here: anon-").await?;
        }
        for tab in [&ann, &ben] {
            tab.type_into("question", "6 * 7").await?;
            tab.click("ask").await?;
            tab.shows(": 42").await?;
            tab.type_into("question", " of what?").await?;
            tab.click("ask").await?;
            tab.shows(": I can only multiply two whole numbers.")
                .await?;
            tab.click_on("[data-topic=languages]").await?;
            tab.shows(": en").await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn people_chat_in_the_blog_and_in_the_inline_room() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        for name in ["blog", "inline"] {
            let url = format!("{}demo/{name}.html", site.url());
            let (ann, ben) = (chromium.open(&url).await?, firefox.open(&url).await?);
            for (tab, user) in [(&ann, "ann"), (&ben, "ben")] {
                if name == "blog" {
                    tab.until("the bubble", |page| page.has("launcher")).await?;
                    tab.click("launcher").await?;
                    tab.join(user).await?;
                } else {
                    tab.joined().await?;
                }
            }
            ann.sees(&["ben"]).await?;
            ben.sees(&["ann"]).await?;
            ann.say("hello").await?;
            ben.hears("ann", "hello").await?;
            ann.close().await?;
            ben.close().await?;
        }
        bed.no_errors().await
    });
}
