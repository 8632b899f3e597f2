// A room as a page that needs nothing else: no script, no other file, no network.

import { IMPORTED, NOT_HERE, type Room, type Said, TAKEN_BACK, type Talk, day, dayOf, excerpt, moment, size, time } from "./model.ts";

const STYLE = `
:root { color-scheme: light dark; --accent: light-dark(#0b6b63, #63cabd); --ground: light-dark(#f5f3ef, #161513); --text: light-dark(#23201c, #ece8e1);
  --quiet: light-dark(#645d54, #a8a196); --line: light-dark(#e4dfd7, #34312c); --edge: light-dark(#8c857a, #7d766b); --bubble: light-dark(#ffffff, #2a2824);
  --own: color-mix(in srgb, var(--accent) 16%, light-dark(#fffefc, #201e1b)); --code: color-mix(in srgb, var(--text) 6%, transparent) }
* { box-sizing: border-box; margin: 0 }
body { max-inline-size: 46rem; margin-inline: auto; padding: 2rem 1rem 4rem; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.25 }
h2 { margin-block: 2.5rem 0; padding-block-end: .4rem; border-block-end: 2px solid var(--accent); font-size: 1.2rem }
h3 { margin-block: 1.5rem .5rem; color: var(--quiet); font-size: .85rem; font-weight: 600; text-align: center }
a { color: var(--accent) }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-block: 1rem; padding: 0; list-style: none }
.quiet, time, small { color: var(--quiet); font-size: .8rem }
article { display: flex; flex-direction: column; align-items: flex-start; max-inline-size: 85%; margin-block-start: .25rem; break-inside: avoid; scroll-margin-block-start: 1rem }
article.own { margin-inline-start: auto; align-items: flex-end }
article.leads { margin-block-start: .9rem }
article header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .5rem; padding-inline: .25rem }
article header b { font-size: .85rem }
.row { display: flex; align-items: end; gap: .5rem; max-inline-size: 100% }
.own .row { flex-direction: row-reverse }
.row time { flex: none; padding-block-end: .3rem }
.bubble { min-inline-size: 0; max-inline-size: 100%; padding: .4rem .75rem; border: 1px solid var(--line); border-radius: 14px; background: var(--bubble) }
.own .bubble { border-color: transparent; background: var(--own) }
.bubble p { white-space: pre-wrap; unicode-bidi: plaintext }
.bubble > * + * { margin-block-start: .4rem }
.bubble .item { padding-inline-start: calc(var(--depth, 0) * 1.5rem + 1.5rem); text-indent: -1.5rem; margin-block-start: 0 }
.item > span { display: inline-block; min-inline-size: 1.2rem; text-indent: 0 }
.item[data-depth="1"] { --depth: 1 } .item[data-depth="2"] { --depth: 2 } .item[data-depth="3"] { --depth: 3 }
.emoji { font-size: 2.2rem; line-height: 1.3 }
blockquote { padding-inline-start: .6rem; border-inline-start: 3px solid var(--edge) }
code, pre { background: var(--code); font: .85em/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace }
code { padding: .05rem .25rem; border-radius: 4px }
pre { overflow-x: auto; padding: .5rem .65rem; border: 1px solid var(--line); border-radius: 8px; white-space: pre; overflow-wrap: normal; tab-size: 4 }
.answers { display: block; padding-inline-start: .6rem; border-inline-start: 3px solid var(--accent); color: var(--quiet); font-size: .85rem; text-decoration: none }
.answers b { display: block; color: var(--text) }
.taken { border-style: dashed; background: none !important; color: var(--quiet); font-style: italic }
.file { font-size: .9rem }
.reactions { display: flex; flex-wrap: wrap; gap: .25rem; margin-block-start: .2rem; padding: 0; list-style: none }
.reactions li { padding: 0 .5rem; border: 1px solid var(--line); border-radius: 13px; background: var(--bubble); font-size: .8rem }
details { font-size: .8rem; color: var(--quiet) }
details ol { padding-inline-start: 1.25rem }
details li { white-space: pre-wrap }
.imported { padding-inline: .25rem; color: var(--quiet); font-size: .8rem; font-style: italic }
@media print {
  :root { color-scheme: light; --ground: #fff; --bubble: #fff }
  body { max-inline-size: none; padding: 0; font-size: 11pt }
  h2, h3 { break-after: avoid }
  nav { display: none }
  .bubble { border-color: #bbb !important; print-color-adjust: exact }
  pre { white-space: pre-wrap; overflow-wrap: anywhere }
  details::details-content { content-visibility: visible; display: block; block-size: auto }
}
`;

/** A text in which nothing is markup, in an element or in an attribute with quotes. */
const escaped = (text: string): string =>
  text.replace(/[<>&"]/g, (sign) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;" })[sign]!);

const name = (text: string): string => `<bdi translate="no">${escaped(text)}</bdi>`;
const stamp = (at: number): string => `<time datetime="${new Date(at).toISOString()}" title="${escaped(moment.format(at))}">${escaped(time.format(at))}</time>`;

/** Ids of messages have letters, digits, - and _ only; whatever else stood there would end the attribute. */
const anchor = (id: string): string => `m${id.replace(/[^\w-]/g, "")}`;

function quote(said: Said, talk: Map<string, Said>): string {
  if (said.answers === undefined) return "";
  const quoted = talk.get(said.answers);
  if (!quoted) return `<p class="answers">${NOT_HERE}</p>`;
  const text = quoted.retracted ? TAKEN_BACK : excerpt(quoted.text) || (quoted.file?.name ?? "");
  return `<a class="answers" href="#${anchor(quoted.id)}"><b>${name(quoted.sender)}</b>${escaped(text)}</a>`;
}

function bubble(said: Said, talk: Map<string, Said>): string {
  if (said.retracted) return `<div class="bubble taken">${TAKEN_BACK}</div>`;
  const file = said.file ? `<p class="file">📎 ${name(said.file.name)} <small>${escaped(size(said.file.size))}</small></p>` : "";
  const before = said.earlier.map((text) => `<li dir="auto">${escaped(text)}</li>`).join("");
  const edited = before && `<details><summary>edited</summary><ol>${before}</ol></details>`;
  return `<div class="bubble" dir="auto">${quote(said, talk)}${file}${said.html ?? ""}${edited}</div>`;
}

/** Whether a message follows another one of the same person, a few minutes later. */
const follows = (said: Said, before: Said | undefined): boolean =>
  before !== undefined && before.key === said.key && before.sender === said.sender && said.at - before.at < 300_000;

function article(said: Said, leads: boolean, talk: Map<string, Said>): string {
  const look = ["own", "leads"].filter((it) => (it === "own" ? said.own : leads)).join(" ");
  // A group shows the name once, and each of its messages the time.
  const head = leads ? `<header><b>${name(said.sender)}</b>${stamp(said.at)}</header>` : "";
  const reactions = said.reactions.map(({ emoji, names }) => `<li>${escaped(emoji)} ${names.map(name).join(", ")}</li>`).join("");
  const imported = said.imported ? `<p class="imported">${IMPORTED}</p>` : "";
  return `<article id="${anchor(said.id)}" class="${look}">${head}${leads ? bubble(said, talk) : `<div class="row">${bubble(said, talk)}${stamp(said.at)}</div>`}${reactions && `<ul class="reactions">${reactions}</ul>`}${imported}</article>`;
}

function section({ title, messages }: Talk, at: number, titled: boolean): string {
  const byId = new Map(messages.map((said) => [said.id, said]));
  const all: string[] = [];
  let before: Said | undefined;
  for (const said of messages) {
    const isNewDay = !before || dayOf(before.at) !== dayOf(said.at);
    if (isNewDay) all.push(`<h3>${escaped(day.format(said.at))}</h3>`);
    all.push(article(said, isNewDay || !follows(said, before), byId));
    before = said;
  }
  const heading = titled ? `<h2 id="t${at}">${name(title)}</h2>` : "";
  return `<section>${heading}\n${all.join("\n")}\n</section>`;
}

export function page({ room, by, talks }: Room, at: number): string {
  const titled = talks.length > 1 || talks.some((talk) => talk.direct);
  const links = talks.map((talk, index) => `<li><a href="#t${index}">${name(talk.title)}</a></li>`).join("");
  const nav = talks.length > 1 ? `<nav aria-label="Conversations"><ul>${links}</ul></nav>` : "";
  const sections = talks.map((talk, index) => section(talk, index, titled)).join("\n");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${escaped(room)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${name(room)}</h1>
<p class="quiet">Exported by ${name(by)}, ${escaped(moment.format(at))}</p>
${nav}
</header>
<main>
${sections || "<p>Nothing was said.</p>"}
</main>
</body>
</html>
`;
}
