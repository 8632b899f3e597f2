//! Messages with everything that Markdown has in a chat.

/// Lines and lists.
pub const MARKDOWN: &[&str] = &[
    "It is *really* **important**, ~~not~~ ***very*** urgent: run `cargo xtask serve` in `~/rtchat`.",
    "> Who brings the cake?\n> > And **which** one?\nI do, with [the recipe](https://example.org/cakes/(apple)?servings=12).",
    "What is left:\n1. the pictures\n   - of the garden\n   - of the *old* house, which nobody has been in for years, so it takes two of us\n     - with a `lamp`\n2. the texts\n10. a cake\n\nSee https://example.org/minutes for the rest.",
    "صباح الخير:\n- **النصوص** جاهزة\n- الصور غدا\n\n> متى نلتقي؟\nFriday, at `10:30`",
    "👍",
    "🎂 🎉",
    "```\nlet short = true;\n```",
];

/// Code, and what looks like markup.
pub const MARKUP: &[&str] = &[
    "```rust\n/// Whether the two have met before, in this browser or in another one with the same key, whatever they call themselves.\nfn met(one: &Peer, other: &Peer) -> bool {\n    one.trust(other) >= Trust::Known\n}\n```\nDoes that look right?",
    "[https://bank.example](https://bank.example.evil.example/login) leads elsewhere, and ![a picture](https://example.org/a.png) is not loaded. <b>HTML</b> &amp; snake_case_names, 2 * 3 * 4 and ¯\\_(ツ)_/¯ stay.",
    "# not a heading\n- [ ] not a box\n\n> Quoted:\n> - one\n> - two\n>\n> ```sh\n> ls -l\n> ```",
    "Yes:\n```rust\nlet longer = \"than the bubble, so that it scrolls to its side and the page does not\".len() > 80;\n```",
];
