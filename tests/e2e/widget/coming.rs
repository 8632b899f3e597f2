//! Chats that leave a page and come back.

use anyhow::{Context, Result, ensure};
use xtask::testbed::Broker;

use super::{nothing_wrong, page, tag};
use crate::support::{Host, run};

#[test]
fn who_is_removed_leaves_and_frees_everything() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let notes = "<script>
            window.made = [];
            for (const name of ['WebSocket', 'RTCPeerConnection'])
                window[name] = new Proxy(window[name], { construct(target, given) {
                    const it = new target(...given);
                    made.push(it);
                    return it;
                } });
        </script>";
        let tag = tag(&site, "data-name=ann data-open");
        let url = host.write_page("page.html", &page(&format!("{notes}{tag}"), ""))?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        for (leaver, stayer) in [(&chromium, &firefox), (&firefox, &chromium)] {
            let stays = stayer.open(&url).await?;
            stays.joined().await?;
            let leaves = leaver.open(&url).await?;
            leaves.joined().await?;
            leaves
                .until("the other", |page| {
                    page.peers.iter().any(|peer| peer.state == "verified")
                })
                .await?;
            // Moved, it stays.
            leaves
                .script(
                    "document.body.prepend(document.querySelector('rt-chat'))",
                    Vec::new(),
                )
                .await?;
            leaves
                .script("window.chat = RTChat.widget; RTChat.remove()", Vec::new())
                .await?;
            stays.sees(&[]).await?;
            let script = "return made.map((it) => it.connectionState ?? it.readyState)
                .concat(chat.shadowRoot.querySelector('.app') ? ['shown'] : [])";
            for _ in 0..200 {
                let states = leaves.script(script, Vec::new()).await?;
                let states = states.as_array().context("a list")?;
                if states.iter().all(|state| *state == "closed" || *state == 3) {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            let states = leaves.script(script, Vec::new()).await?;
            let all = states.as_array().context("a list")?;
            ensure!(
                all.len() >= 2 && all.iter().all(|state| *state == "closed" || *state == 3),
                "{states}"
            );
            // And it can come back.
            leaves
                .script("RTChat.add({ name: 'ben', open: true })", Vec::new())
                .await?;
            stays
                .until("them again", |page| {
                    page.peers.iter().any(|peer| peer.state == "verified")
                })
                .await?;
            for tab in [stays, leaves] {
                nothing_wrong(&tab).await?;
                tab.close().await?;
            }
        }
        bed.no_errors().await
    });
}
