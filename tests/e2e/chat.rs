//! People find each other, prove their identities and chat directly.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::support::{Bed, Browser, run};

#[test]
fn two_tabs_of_chromium_chat() {
    run(|bed| async move {
        let chromium = bed.chromium().await?;
        chat(&bed, Broker::rumqttd().await?, [&chromium, &chromium]).await
    });
}

#[test]
fn two_tabs_of_firefox_chat() {
    run(|bed| async move {
        let firefox = bed.firefox().await?;
        chat(&bed, Broker::rumqttd().await?, [&firefox, &firefox]).await
    });
}

#[test]
fn firefox_joins_chromium_and_they_chat() {
    run(|bed| async move {
        let browsers = [&bed.chromium().await?, &bed.firefox().await?];
        chat(&bed, Broker::rumqttd().await?, browsers).await
    });
}

#[test]
fn chromium_joins_firefox_and_they_chat() {
    run(|bed| async move {
        let browsers = [&bed.firefox().await?, &bed.chromium().await?];
        chat(&bed, Broker::rumqttd().await?, browsers).await
    });
}

#[test]
fn browsers_that_meet_over_mosquitto_chat() {
    run(|bed| async move {
        let browsers = [&bed.chromium().await?, &bed.firefox().await?];
        chat(&bed, Broker::mosquitto().await?, browsers).await
    });
}

/// Two people meet. The broker is gone before they send a message.
async fn chat(bed: &Bed, mut broker: Broker, [first, second]: [&Browser; 2]) -> Result<()> {
    let site = bed.site(&broker).await?;
    let same = std::ptr::eq(first, second);
    let (name, user) = if same {
        ("ann", "ann(2)")
    } else {
        ("ben", "ben")
    };

    let ann = first.open(site.url()).await?;
    ann.join("ann").await?;
    let ben = second.open(site.url()).await?;
    if same {
        // The name is stored by the first tab.
        ben.joined().await?;
    } else {
        ben.join(name).await?;
    }
    ann.sees(&[user]).await?;
    let page = ben.sees(&["ann"]).await?;
    ensure!(page.own == user, "the second is called {}", page.own);
    bed.no_errors().await?;

    broker.kill().await?;
    ann.say("can you hear me?").await?;
    ben.hears("ann", "can you hear me?").await?;
    ann.paste_and_send("\n \n  like this: (https://example.org/a_(b))\n\n")
        .await?;
    let page = ben
        .hears("ann", "  like this: (https://example.org/a_(b))")
        .await?;
    ensure!(page.messages.last().is_some_and(|said| said.elements == 1));
    ben.say("yes, without a server").await?;
    ann.hears(user, "yes, without a server").await?;
    ann.until("that it was delivered", |page| {
        page.messages
            .iter()
            .any(|message| message.delivery.as_deref() == Some("delivered"))
    })
    .await?;
    Ok(())
}
