use std::cell::Cell;

use super::{Block, Content, MAX_DEPTH, Span, parse};

thread_local! {
    pub(super) static STEPS: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn spend(steps: usize) {
    STEPS.set(STEPS.get() + steps);
}

/// Parts of lines in short: `<b>`, `<i>`, `<s>`, `<c>` for code, `<a>` for addresses, `<a target|host>` for links.
fn spans(spans: &[Span<'_>]) -> String {
    let span = |span: &Span<'_>| {
        let mut text = match &span.content {
            Content::Text(text) => (*text).to_owned(),
            Content::Code(code) => format!("<c>{code}</c>"),
            Content::Address(address) => format!("<a>{address}</a>"),
            Content::Link {
                target,
                host,
                label,
            } => {
                let host = host.unwrap_or("the same");
                format!("<a {target}|{host}>{}</a>", self::spans(label))
            }
        };
        for (is_set, tag) in [
            (span.style.struck, "s"),
            (span.style.emphasis, "i"),
            (span.style.strong, "b"),
        ] {
            if is_set {
                text = format!("<{tag}>{text}</{tag}>");
            }
        }
        text
    };
    spans.iter().map(span).collect()
}

fn blocks(blocks: &[Block<'_>]) -> String {
    let block = |block: &Block<'_>| match block {
        Block::Text(text) => spans(text),
        Block::Emoji(emoji) => format!("<large>{emoji}</large>"),
        Block::Code { language, text } => format!("<pre {language}>{}</pre>", text.concat()),
        Block::Quote(inner) => format!("<q>{}</q>", self::blocks(inner)),
        Block::List(items) => {
            let items = items.iter().map(|item| {
                let spans = spans(&item.spans);
                format!("<li {}>{} {spans}</li>", item.depth, item.marker)
            });
            items.collect()
        }
    };
    blocks.iter().map(block).collect::<Vec<_>>().join("|")
}

pub(super) fn shown(text: &str) -> String {
    blocks(&parse(text))
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(shown(text), *expected, "{text:?}");
    }
}

#[track_caller]
fn stays(texts: &[&str]) {
    for text in texts {
        assert_eq!(shown(text), *text);
    }
}

#[test]
fn text_is_emphasised() {
    check(&[
        ("*a*", "<i>a</i>"),
        ("_a_", "<i>a</i>"),
        ("**a**", "<b>a</b>"),
        ("**_a_**", "<b><i>a</i></b>"),
        ("~~a~~", "<s>a</s>"),
        ("***a***", "<b><i>a</i></b>"),
        ("**a *b* c**", "<b>a </b><b><i>b</i></b><b> c</b>"),
        ("**a *b***", "<b>a </b><b><i>b</i></b>"),
        ("***a** b*", "<b><i>a</i></b><i> b</i>"),
        ("*a **b** c*", "<i>a </i><b><i>b</i></b><i> c</i>"),
        ("~~a **b**~~", "<s>a </s><b><s>b</s></b>"),
        ("un*frigging*believable", "un<i>frigging</i>believable"),
        ("**very bold**ly", "<b>very bold</b>ly"),
        ("**a\nb** c", "<b>a\nb</b> c"),
        (
            "(*a*), \"**b**\". *c*!",
            "(<i>a</i>), \"<b>b</b>\". <i>c</i>!",
        ),
        ("*👍*", "<i>👍</i>"),
        (
            "这是**重要**的。**重要：**次",
            "这是<b>重要</b>的。<b>重要：</b>次",
        ),
        ("**مهم** جدا", "<b>مهم</b> جدا"),
        (
            "**`a`** *https://a.example*",
            "<b><c>a</c></b> <i><a>https://a.example</a></i>",
        ),
        ("~~https://a.example~~", "<s><a>https://a.example</a></s>"),
        ("**/etc/hosts**", "<b>/etc/hosts</b>"),
    ]);
}

#[test]
fn signs_stay_signs() {
    // Each of them is a message.
    let lines = include_str!("tests/signs.txt");
    for text in lines.lines().flat_map(|line| line.split(" ¦ ")) {
        stays(&[text]);
    }
    stays(&[
        "e\u{301}_a_b",
        "5 EUR*\n*net",
        "a\n===\nb\n---",
        "***\n* * *\n- - -",
        "a\n\n    b",
        "a  \nb\\\nc",
        "a\n\n\n\nb",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "\u{202e}a\u{2066}",
        "\t\ta",
    ]);
    // What follows stays as well, and is not part of anything.
    check(&[
        ("* and _ and **b**", "<li 0>• and _ and <b>b</b></li>"),
        ("a* *b and **c**", "a* *b and <b>c</b>"),
        ("> a\n>", "<q>a</q>"),
    ]);
}

#[test]
fn backslashes_take_the_meaning_of_markers() {
    check(&[
        ("\\*a\\*", "*a*"),
        ("\\_a\\_ \\~~b~~ \\`c`", "_a_ ~~b~~ `c`"),
        ("\\**a*", "*<i>a</i>"),
        ("\\[a](https://a.example)", "[a](<a>https://a.example</a>)"),
        ("[a\\](https://a.example)", "[a](<a>https://a.example</a>)"),
        ("snake\\_case", "snake_case"),
        ("\\> a", "> a"),
        ("\\- a\n\\# b", "- a\n# b"),
        ("a \\> b \\- c \\# d \\! e", "a \\> b \\- c \\# d \\! e"),
        ("\\\\*a*", "\\*a*"),
        ("`\\*`", "<c>\\*</c>"),
        ("\\```\na", "```\na"),
        ("C:\\*.txt", "C:*.txt"),
    ]);
}

#[test]
fn code_is_shown_exactly() {
    check(&[
        ("a `b` c", "a <c>b</c> c"),
        (
            "`*a* _b_ [c](https://d.example) https://e.example`",
            "<c>*a* _b_ [c](https://d.example) https://e.example</c>",
        ),
        ("``a`b``", "<c>a`b</c>"),
        ("`` `a` ``", "<c>`a`</c>"),
        ("` `", "<c> </c>"),
        ("`a``b` `c", "<c>a``b</c> `c"),
        ("`a\nb`", "`a\nb`"),
        ("*a `b* c`", "*a <c>b* c</c>"),
        ("```let x = 1```", "<c>let x = 1</c>"),
        ("```\na\n  b\n```", "<pre >a\n  b</pre>"),
        (
            "```rust\nfn main() {}\n\n// *a*\n```",
            "<pre rust>fn main() {}\n\n// *a*</pre>",
        ),
        ("a\n```c++\nb\n```\nc", "a|<pre c++>b</pre>|c"),
        ("```\na", "<pre >a</pre>"),
        ("```\na```\nb", "<pre >a</pre>|b"),
        ("```int x = 5;\nint y;```", "<pre >int x = 5;\nint y;</pre>"),
        ("````\n```\na\n```\n````", "<pre >```\na\n```</pre>"),
        ("  ```\n    a\n  b\nc\n  ```", "<pre >  a\nb\nc</pre>"),
        ("> ```\n> a\n> b\n> ```\nc", "<q><pre >a\nb</pre></q>|c"),
        (
            "- a\n  ```\n  b\n  ```\n- c",
            "<li 0>• a</li>|<pre >b</pre>|<li 0>• c</li>",
        ),
    ]);
    stays(&[
        "```\n```",
        "```\n\n```",
        "a\n```",
        "```\n```\nb",
        "``\na\n``",
        "```a`b\nc",
    ]);
}

#[test]
fn quotes_are_what_somebody_else_said() {
    check(&[
        ("> a", "<q>a</q>"),
        ("> a\n> b\n\nc", "<q>a\nb</q>|c"),
        ("> a\nb", "<q>a</q>|b"),
        ("a\n> b\nc", "a|<q>b</q>|c"),
        ("> a\n>\n> b", "<q>a\n\nb</q>"),
        ("> **a\n> b** - c", "<q><b>a\n</b><b>b</b> - c</q>"),
        ("> > a\n> b", "<q><q>a</q>|b</q>"),
        ("> - a\n> - b", "<q><li 0>• a</li><li 0>• b</li></q>"),
        ("> a\n\n> b", "<q>a</q>|<q>b</q>"),
        ("  > a", "<q>a</q>"),
    ]);
    let deep = "> ".repeat(MAX_DEPTH + 2) + "a";
    let expected = format!(
        "{}> > a{}",
        "<q>".repeat(MAX_DEPTH),
        "</q>".repeat(MAX_DEPTH)
    );
    assert_eq!(shown(&deep), expected);
}

#[test]
fn lists_keep_the_numbers_that_were_typed() {
    check(&[
        ("- a\n- b", "<li 0>• a</li><li 0>• b</li>"),
        ("* a\n* *b*", "<li 0>• a</li><li 0>• <i>b</i></li>"),
        ("1. a\n2. b", "<li 0>1. a</li><li 0>2. b</li>"),
        ("3) a\n1) b", "<li 0>3) a</li><li 0>1) b</li>"),
        ("a:\n- b\n- c\nd", "a:|<li 0>• b</li><li 0>• c</li>|d"),
        (
            "1. a\n   - b\n     - c\n   - d\n2. e",
            "<li 0>1. a</li><li 1>• b</li><li 2>• c</li><li 1>• d</li><li 0>2. e</li>",
        ),
        (
            "- a\n\t- b\n - c",
            "<li 0>• a</li><li 1>• b</li><li 0>• c</li>",
        ),
        ("- a\n  b\n- c", "<li 0>• a\nb</li><li 0>• c</li>"),
        ("- a\n\n- b\n\nc", "<li 0>• a</li><li 0>• b</li>|c"),
        ("- a\n\n  b", "<li 0>• a</li>|  b"),
        ("- *a\n- b*", "<li 0>• *a</li><li 0>• b*</li>"),
        ("  1. a\n  2. b", "<li 0>1. a</li><li 0>2. b</li>"),
        ("24. December", "<li 0>24. December</li>"),
        ("- > a", "<li 0>• > a</li>"),
    ]);
    let deep: String = (0..9).map(|depth| "  ".repeat(depth) + "- a\n").collect();
    let last = format!("<li {}>• a</li>", MAX_DEPTH - 1);
    assert!(shown(&deep).ends_with(&last.repeat(9 - MAX_DEPTH + 1)));
}

#[test]
fn a_link_says_where_it_leads() {
    check(&[
        (
            "[a](https://b.example/c)",
            "<a https://b.example/c|b.example>a</a>",
        ),
        (
            "see [*a* b](http://b.example), c",
            "see <a http://b.example|b.example><i>a</i> b</a>, c",
        ),
        (
            "**[a](https://b.example)**",
            "<b><a https://b.example|b.example><b>a</b></a></b>",
        ),
        (
            "[a](HTTPS://b.example:8080/x_(y)?z=[1]#w)",
            "<a HTTPS://b.example:8080/x_(y)?z=[1]#w|b.example>a</a>",
        ),
        (
            "[[a]](https://b.example)",
            "<a https://b.example|b.example>[a]</a>",
        ),
        (
            "[a [b](https://c.example) d](https://e.example)",
            "[a <a https://c.example|c.example>b</a> d](<a>https://e.example</a>)",
        ),
        (
            "[`a`](https://b.example)",
            "<a https://b.example|b.example><c>a</c></a>",
        ),
        // Whoever reads an address in the text also reads the true one.
        (
            "[https://good.example](https://evil.example/x)",
            "<a https://evil.example/x|evil.example>https://good.example</a>",
        ),
        (
            "[good.example](https://good.example.evil.example)",
            "<a https://good.example.evil.example|good.example.evil.example>good.example</a>",
        ),
        (
            "[https://a.example/b](https://a.example/b)",
            "<a https://a.example/b|the same>https://a.example/b</a>",
        ),
        (
            "[a.example/b](https://a.example/b)",
            "<a https://a.example/b|the same>a.example/b</a>",
        ),
        (
            "[a.example](https://a.example/b)",
            "<a https://a.example/b|the same>a.example</a>",
        ),
        (
            "[*a*](https://b.example) [c](https://d.example)",
            "<a https://b.example|b.example><i>a</i></a> <a https://d.example|d.example>c</a>",
        ),
        (
            "*a [b* c](https://d.example)",
            "*a <a https://d.example|d.example>b* c</a>",
        ),
    ]);
}

#[test]
fn what_could_do_harm_stays_text() {
    stays(&[
        "[a](javascript:alert(1))",
        "[a](JAVASCRIPT:alert(1))",
        "[a](data:text/html,x)",
        "[a](//b.example)",
        "[a](/b)",
        "[a](b.html)",
        "[a](ftp://b.example)",
        "[a](mailto:b@c.example)",
        "[a](file:///etc)",
        "[a](vbscript:x)",
        "[a](https:b.example)",
        "[a](https:/b.example)",
        "[a](https://)",
        "[a](https:///b)",
        "[a](\tjavascript:alert(1))",
        "[a](blob:b)",
        "[a](?q)",
        "[a](#k=secret)",
        "[a](<javascript:x>)",
        "[a][1]\n[1]: javascript:x",
    ]);
    // These are shown with everything that is in them, and the address that is seen is the one that is opened.
    check(&[
        (
            "![a](https://b.example/c.png)",
            "![a](<a>https://b.example/c.png</a>)",
        ),
        ("[](https://b.example)", "[](<a>https://b.example</a>)"),
        ("[ ](https://b.example)", "[ ](<a>https://b.example</a>)"),
        (
            "[a](https://good.example@evil.example)",
            "[a](<a>https://good.example@evil.example</a>)",
        ),
        (
            "[a](https://a:b@evil.example)",
            "[a](<a>https://a:b@evil.example</a>)",
        ),
        (
            "[a](https://аpple.example)",
            "[a](<a>https://аpple.example</a>)",
        ),
        (
            "[a](https://ex%61mple.com)",
            "[a](<a>https://ex%61mple.com</a>)",
        ),
        (
            "[a](https://evil.example\\@good.example)",
            "[a](<a>https://evil.example\\@good.example</a>)",
        ),
        ("[a](https://[::1]/)", "[a](<a>https://[::1]/</a>)"),
        (
            "[a](https://b.example \"title\")",
            "[a](<a>https://b.example</a> \"title\")",
        ),
        ("[a](https://b.example", "[a](<a>https://b.example</a>"),
        (
            "[a]( https://b.example )",
            "[a]( <a>https://b.example</a> )",
        ),
        (
            "[a](https://b.example\u{202e}c)",
            "[a](<a>https://b.example</a>\u{202e}c)",
        ),
        (
            "[a\nb](https://c.example)",
            "[a\nb](<a>https://c.example</a>)",
        ),
        ("<https://a.example>", "<<a>https://a.example</a>>"),
    ]);
}

#[test]
fn addresses_keep_their_signs() {
    check(&[
        (
            "https://a.example/_b_/*c*/~~d~~/e",
            "<a>https://a.example/_b_/*c*/~~d~~/e</a>",
        ),
        (
            "https://a.example/__init__.py",
            "<a>https://a.example/__init__.py</a>",
        ),
        (
            "(https://a.example/b_(c))",
            "(<a>https://a.example/b_(c)</a>)",
        ),
        (
            "_a_ https://a.example/_b",
            "<i>a</i> <a>https://a.example/_b</a>",
        ),
        ("[https://a.example] b", "[<a>https://a.example</a>] b"),
        (
            "**a:** https://b.example.",
            "<b>a:</b> <a>https://b.example</a>.",
        ),
    ]);
}

#[test]
fn a_few_emoji_are_large() {
    for text in [
        "👍",
        "❤️",
        "😀😀😀",
        "👨‍👩‍👧 🇩🇪",
        "1️⃣",
        "🏴\u{e0067}\u{e0062}\u{e007f}",
        "👍🏽 ",
        "☀",
        "✅",
        "🏳️‍🌈",
    ] {
        assert_eq!(shown(text), format!("<large>{text}</large>"));
    }
    stays(&[
        "👍👍👍👍",
        "👍 a",
        "a",
        "1",
        "#",
        "*",
        "🇩",
        "\u{200d}",
        "😀\u{200d}",
        "",
        "漢",
        "™",
        "→",
        "©",
    ]);
}
