//! A network that lets no direct connection through, as some companies' and hotels' do.

use anyhow::ensure;
use xtask::testbed::{self, Broker};

use crate::support::run;

/// With this preference, Firefox never uses UDP but through a proxy, and there is none.
const NO_UDP: &str = "media.peerconnection.ice.proxy_only";

#[test]
fn people_without_a_path_are_told_what_the_matter_is_and_what_helps() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let behind_a_firewall = testbed::Browser::firefox_with(&[(NO_UDP, true.into())]).await?;
        let ann = bed.own(behind_a_firewall).await?.open(site.url()).await?;
        let ben = bed.chromium().await?.open(site.url()).await?;
        let cat = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        ben.join("ben").await?;
        for (tab, other) in [(&ann, "ben"), (&ben, "ann")] {
            let page = tab
                .until("that there is no path", |page| page.status == "no-path")
                .await?;
            ensure!(
                page.status_text
                    .contains(&format!("No direct connection to {other}."))
                    && page.status_text.contains("Another network may help"),
                "{}",
                page.status_text
            );
            ensure!(page.peers[0].state == "no-path", "{:?}", page.peers);
        }

        // A message that cannot be delivered is not shown as sent.
        ann.say("can you hear me?").await?;
        let page = ann.hears("ann", "can you hear me?").await?;
        let delivery = page.messages[0].delivery.as_deref();
        ensure!(delivery == Some("waiting"), "delivery: {delivery:?}");

        // Somebody who can be reached is, and the others stay named.
        cat.join("cat").await?;
        let page = ben
            .until("one connected, one not", |page| {
                page.status_text.contains("2 people, connected directly")
            })
            .await?;
        ensure!(
            page.status_text.contains("No direct connection to ann."),
            "{}",
            page.status_text
        );
        ben.say("cat hears me").await?;
        cat.hears("ben", "cat hears me").await?;
        Ok(())
    });
}
