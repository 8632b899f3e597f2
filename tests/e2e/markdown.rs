//! Markdown in messages: what one person types, the other one sees, and nothing in it does harm.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::Broker;

use crate::support::{Tab, run};

/// The elements of the last message that this person sent, without their attributes.
const SHOWN: &str = "const sent = document.querySelectorAll(`[data-testid=message][data-sender=${arguments[0]}]`);
    const text = [...sent].at(-1)?.querySelector('[data-testid=message-text]');
    return text?.innerHTML.replace(/<!--.*?-->/g, '').replace(/<([a-z]+)[^>]*>/g, '<$1>')
        .replace(/<figcaption>.*?<.figcaption>/g, '').replace(/<.?span>/g, '').replaceAll('&nbsp;', '\\u00a0')";

/// What one gets who selects that message and copies it.
const COPIED: &str =
    "const sent = document.querySelectorAll(`[data-testid=message][data-sender=${arguments[0]}]`);
    getSelection().selectAllChildren([...sent].at(-1).querySelector('[data-testid=message-text]'));
    const copied = getSelection().toString().trim().replace(/\\n\\n+/g, '\\n');
    getSelection().removeAllRanges();
    return copied";

/// Starts a program in this tab, which notes what it hears.
const PROGRAM: &str = r#"return import("/mqtt-rtc.js").then(({ MQTTRTCClient }) => {
    window.heard = [];
    window.client = new MQTTRTCClient({ name: "program", page: "/", accept: "everyone" });
    client.on("chat", (text) => heard.push(text));
})"#;

/// The messages, and their elements.
const MESSAGES: [(&str, &str); 10] = [
    (
        "*a* _b_ **c** ~~d~~ ***e*** `f *g*` \\*h\\*",
        "<em>a</em> <em>b</em> <strong>c</strong> <s>d</s> <strong><em>e</em></strong> <code>f *g*</code> *h*",
    ),
    (
        "snake_case_name 2 * 3 * 4 :-* ¯\\_(ツ)_/¯ **",
        "snake_case_name 2 * 3 * 4 :-* ¯\\_(ツ)_/¯ **",
    ),
    ("one\n\n  two\n# three", "one\n\n  two\n# three"),
    (
        "> a\n> > b\nc",
        "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>",
    ),
    (
        "- a\n  - **b**\n3. c\n1. d",
        "<div><div>• a</div><div>• <strong>b</strong></div><div>3. c</div><div>1. d</div></div>",
    ),
    (
        "```rust\nif a < b {\n    *c*\n}\n```",
        "<figure><pre>if a &lt; b {\n    *c*\n}</pre></figure>",
    ),
    (
        "[a](https://b.example/c), https://d.example/_e_f.",
        "<a><bdi>a</bdi><small> (b.example)</small></a>, <a>https://d.example/_e_f</a>.",
    ),
    (
        "[https://good.example](https://evil.example)",
        "<a><bdi>https://good.example</bdi><small> (evil.example)</small></a>",
    ),
    ("👍🏽 🎉", "👍🏽 🎉"),
    (
        "- النص\n- **مهم**\n\n> متى؟",
        "<div><div>• النص</div><div>• <strong>مهم</strong></div></div><blockquote><p>متى؟</p></blockquote>",
    ),
];

/// Waits until a message of this person looks like this.
async fn sees(tab: &Tab, sender: &str, elements: &str) -> Result<()> {
    tab.until_script(SHOWN, &[sender], elements).await
}

#[test]
fn what_one_types_in_markdown_the_other_sees_and_programs_hear_as_it_was_typed() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        let program = bed.chromium().await?;
        let program = program.open(&format!("{}nothing-here", site.url())).await?;
        program.script(PROGRAM, Vec::new()).await?;
        for tab in [&ann, &ben] {
            tab.until("the program", |page| page.trust_of("program") == "new")
                .await?;
        }
        for (number, (typed, elements)) in MESSAGES.into_iter().enumerate() {
            let (from, sender) = [(&ann, "ann"), (&ben, "ben")][number % 2];
            from.paste_and_send(typed).await?;
            for tab in [&ann, &ben] {
                sees(tab, sender, elements).await?;
            }
            let heard = "return heard.includes(arguments[0])";
            program.until_true(heard, vec![typed.into()]).await?;
        }
        // Every line has the direction of its own words.
        let direction = "return document.querySelectorAll('.list [dir]:dir(rtl), blockquote:dir(rtl)').length === 3";
        for tab in [&ann, &ben] {
            tab.until_true(direction, Vec::new()).await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn nothing_in_markdown_does_harm() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        let messages = [
            "<b onclick=window.pwned=1>a</b> &amp; <script>window.pwned=1</script>",
            "[a](javascript:window.pwned=1) [b](data:text/html,b) [c](/d) [e](//f.example) [g](JavaScript:window.pwned=1)",
            "![a](https://pictures.example/a.png) ![b](data:image/png;base64,AA)",
            "**<img src=https://pictures.example/b.png onerror=window.pwned=1>**\n> <iframe src=javascript:window.pwned=1>",
            "[<img src=x onerror=window.pwned=1>](https://c.example/\"onmouseover=window.pwned=1)",
            "```<script>\nwindow.pwned=1\n</script>```",
            "[a](https://good.example@evil.example) [b](https://evil.example\\@good.example) [c](https://gооd.example)",
        ];
        for message in messages {
            ann.paste_and_send(message).await?;
            for tab in [&ann, &ben] {
                let words = message.replace(['*', '`'], "").replace("> <", "<");
                let same = "const texts = [...document.querySelectorAll('[data-testid=message-text]')];
                    const plain = (text) => text.replace(/\\s/g, '');
                    return texts.some((text) => plain(text.innerText.replace(/^\\s*Copy\\n/, '')) === plain(arguments[0]))";
                tab.until_true(same, vec![words.into()])
                    .await
                    .with_context(|| message.to_owned())?;
                ensure!(!tab.page().await?.pwned, "{message} ran");
            }
        }
        for tab in [&ann, &ben] {
            let foreign = "return [...document.querySelectorAll('[data-testid=message-text] *')]
                .filter(({ localName }) => !['a', 'p', 'strong', 'blockquote', 'figure', 'figcaption', 'span', 'button', 'pre'].includes(localName))
                .map((element) => element.outerHTML).join()";
            let foreign = tab.script(foreign, Vec::new()).await?;
            ensure!(foreign == "", "{foreign} came from messages");
            let links = "return [...document.querySelectorAll('[data-testid=message-text] a')].every((link) =>
                link.protocol === 'https:' && link.href === new URL(link.textContent).href && link.target === '_blank'
                && ['noopener', 'noreferrer'].every((word) => link.relList.contains(word)))";
            ensure!(
                tab.script(links, Vec::new()).await? == true,
                "a link deceives"
            );
            let fetched = "return performance.getEntriesByType('resource').some(({ name }) => name.includes('pictures'))";
            ensure!(
                tab.script(fetched, Vec::new()).await? == false,
                "a picture was fetched"
            );
        }
        bed.no_errors().await
    });
}

#[test]
fn code_is_copied_with_a_button_and_scrolls_by_itself() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        let code = format!(
            "fn main() {{\n\tprintln!(\"{}\");\n}}",
            "*wide* ".repeat(60)
        );
        ann.paste_and_send(&format!("Look:\n```rust\n{code}\n```\n1. a `b`\n2. **c**"))
            .await?;
        let width = "return document.querySelector('[data-testid=copy-code]').getBoundingClientRect().width";
        for (tab, clipboard) in [(&ann, "ann"), (&ben, "ben")] {
            tab.until("code", |page| page.has("copy-code")).await?;
            let before: Value = tab.script(width, Vec::new()).await?;
            tab.click("copy-code").await?;
            tab.until("that it was copied", |page| {
                page.text("copy-code") == "Copied"
            })
            .await?;
            ensure!(
                tab.script(width, Vec::new()).await? == before,
                "the button moved"
            );
            // Control and V, and then Control is released.
            tab.type_into("composer", "\u{e009}v\u{e000}").await?;
            tab.until(format!("what {clipboard} copied"), |page| {
                page.composer.as_deref() == Some(&code)
            })
            .await?;
            tab.until("that it can be copied again", |page| {
                page.text("copy-code") == "Copy"
            })
            .await?;

            // Whoever copies the message gets what it says, and no names of buttons.
            let copied = tab.script(COPIED, vec!["ann".into()]).await?;
            let expected = format!("Look:\n{code}\n1. a b\n2. c");
            ensure!(copied == json!(expected), "{copied:?}");
        }
        for wide in [320, 360, 1280] {
            ann.set_width(wide).await?;
            let fits = "const fits = ({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth;
                const code = document.querySelector('[data-testid=message-text] pre');
                return ['html', '.rt', '.log', '.bubble'].every((part) => fits(document.querySelector(part))) && !fits(code)";
            ann.until_true(fits, Vec::new())
                .await
                .with_context(|| format!("{wide} px"))?;
        }
        bed.no_errors().await
    });
}
