//! Names and messages that are meant to do harm, or that are too long.

use anyhow::ensure;
use xtask::testbed::Broker;

use crate::support::{Tab, run};

/// A name of a valid length that does harm if it is interpreted as markup.
const MARKUP: &str = "<img src=x onerror=window.pwned=1>";

#[test]
fn markup_is_shown_as_it_was_typed() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        for (first, second) in [(bed.chromium().await?, bed.firefox().await?)] {
            let ann = first.open(site.url()).await?;
            ensure!(ann.join(MARKUP).await?.own == MARKUP);
            let ben = second.open(site.url()).await?;
            ben.join("ben").await?;
            ben.sees(&[MARKUP]).await?;
            ann.sees(&["ben"]).await?;

            let messages = [
                MARKUP,
                "<script>window.pwned = 1</script>",
                "</textarea></article><iframe srcdoc='<script>parent.pwned=1</script>'>",
                "&lt;b&gt; &amp;amp; {{7*7}} ${7*7} %3Cb%3E",
                "javascript:window.pwned=1",
                "line one\nline two\n\ttabbed",
                "\u{202e}backwards and an isolate \u{2066} that never ends",
            ];
            for message in messages {
                ann.paste_and_send(message).await?;
                for tab in [&ann, &ben] {
                    let page = tab.hears(MARKUP, message).await?;
                    ensure!(page.messages.iter().all(|message| message.elements == 0));
                    ensure!(!page.pwned, "{message} ran");
                }
            }
            for tab in [&ann, &ben] {
                // An image would fail to load later, but its element could be found now.
                let foreign = "return document.querySelectorAll('img, iframe, .rt script').length";
                let foreign = tab.script(foreign, Vec::new()).await?;
                ensure!(foreign == 0, "{foreign} elements came from messages");
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn refused_names_are_explained_beside_the_field() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let tab = bed.chromium().await?.open(site.url()).await?;
        let long = "a".repeat(41);
        let refused = [
            ("", "Please enter a name"),
            ("   ", "Please enter a name"),
            (&long, "at most 40 characters, and this one has 41"),
            ("ann\u{202e}nna", "U+202E"),
            ("ann(2)", "Try “ann 2”"),
        ];
        for (name, words) in refused {
            clear_name(&tab).await?;
            tab.enter_name(name).await?;
            let page = tab
                .until(format!("why {name:?} is refused"), |page| {
                    page.text("name-problem").contains(words)
                })
                .await?;
            ensure!(page.own.is_empty(), "{name:?} was accepted");
        }
        clear_name(&tab).await?;
        ensure!(tab.join(&long[..40]).await?.own == long[..40]);
        bed.no_errors().await
    });
}

async fn clear_name(tab: &Tab) -> anyhow::Result<()> {
    tab.until("the field for a name", |page| page.has("name"))
        .await?;
    let clear = "document.querySelector('[data-testid=name]').value = ''";
    tab.script(clear, Vec::new()).await?;
    Ok(())
}

#[test]
fn a_message_of_ten_thousand_characters_arrives_and_a_longer_one_is_not_sent() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(site.url()).await?;
        ann.join("ann").await?;
        let ben = firefox.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;

        // Characters that take one to four bytes.
        let whole = "aß漢\n😀".repeat(2_000);
        let too_long = format!("{whole}!");
        for (from, sender, to) in [(&ann, "ann", &ben), (&ben, "ben", &ann)] {
            from.paste_and_send(&too_long).await?;
            let page = from
                .until("why it was not sent", |page| {
                    page.text("composer-problem").starts_with("Not sent")
                })
                .await?;
            let problem = page.text("composer-problem");
            ensure!(
                problem.contains("at most 10,000 characters") && problem.contains("has 10,001"),
                "{problem}"
            );
            ensure!(
                page.composer.as_deref() == Some(too_long.as_str()),
                "it was not kept"
            );

            from.paste_and_send(&whole).await?;
            for tab in [to, from] {
                // At first only its beginning is shown.
                let unfold = "const button = document.querySelector('[data-testid=fold][aria-expanded=false]');
                    button?.click();
                    return button !== null";
                while tab.script(unfold, Vec::new()).await? != true {
                    tab.until("a folded message", |page| page.has("fold"))
                        .await?;
                }
                let page = tab.hears(sender, &whole).await?;
                ensure!(!page.has_message(sender, &too_long));
            }
            let page = from.hears(sender, &whole).await?;
            ensure!(page.composer.as_deref() == Some(""));
        }
        bed.no_errors().await
    });
}
