// Tests of the files for people: nothing of what somebody wrote becomes markup or leaves the file's form. main.rs runs them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fileName, page, text } from "../../../embed/archive/archive.ts";
import type { Room, Said } from "../../../embed/archive/model.ts";

const NOON = new Date(2026, 10, 26, 12, 0).getTime();
const EVIL = `"><script>alert('&')</script>`;

const said = (number: number, more: Partial<Said> = {}): Said => ({
  id: `id${number}`, at: NOON + number * 60_000, sender: "ann", key: "abcd", own: false, text: `text ${number}`, html: `<p>text ${number}</p>`,
  earlier: [], reactions: [], retracted: false, imported: false, ...more,
});

const room = (messages: Said[], more: Partial<Room> = {}): Room => ({ room: "lobby", by: "ann", talks: [{ title: "#lobby", direct: false, messages }], ...more });

test("names of files have the room and the day, and nothing that a system refuses", () => {
  assert.equal(fileName("lobby", NOON, "html"), "rtchat-lobby-2026-11-26.html");
  assert.equal(fileName("a/b\\c: d?", NOON, "text"), "rtchat-a-b-c-d-2026-11-26.txt");
  assert.equal(fileName("../..", NOON, "json"), "rtchat-room-2026-11-26.json");
  assert.equal(fileName("Größe 日本", NOON, "json"), "rtchat-Größe-日本-2026-11-26.json");
  assert.ok(fileName("x".repeat(64), NOON, "json").length < 64);
});

test("nothing that somebody wrote becomes markup", () => {
  const evil = said(1, {
    id: EVIL, sender: EVIL, text: EVIL, html: undefined, earlier: [EVIL], answers: EVIL,
    reactions: [{ emoji: EVIL, names: [EVIL] }], file: { name: EVIL, size: 5 },
  });
  const html = page({ room: EVIL, by: EVIL, talks: [{ title: EVIL, direct: true, messages: [evil, said(2, { answers: EVIL })] }] }, NOON);
  assert.ok(!html.includes("<script"));
  assert.ok(!html.includes(EVIL));
  assert.ok(html.includes("&quot;&gt;&lt;script&gt;"));
});

test("a page has days, names once for each group, answers, changes, reactions and files", () => {
  const html = page(room([
    said(0),
    said(1, { reactions: [{ emoji: "👍", names: ["ben", "cleo"] }], earlier: ["before"] }),
    said(2, { sender: "ben", key: "efgh", own: true, answers: "id0", file: { name: "plan.pdf", size: 12_345 } }),
    said(3_000, { retracted: true, html: "" }),
    said(3_001, { imported: true }),
  ]), NOON);
  const count = (part: string) => html.split(part).length - 1;
  assert.equal(count("<h3>"), 2);
  assert.equal(count("<header><b>"), 3);
  for (const part of ["👍 <bdi translate=\"no\">ben</bdi>, ", "<li dir=\"auto\">before</li>", "href=\"#mid0\"", "plan.pdf", "12 kB", "Taken back", "nobody can prove"]) {
    assert.ok(html.includes(part), part);
  }
  assert.ok(page(room([], { talks: [] }), NOON).includes("Nothing was said."));
});

test("in a text, every message is a line, and what belongs to it stands below", () => {
  const plain = text(room([
    said(0, { text: "one\ntwo" }),
    said(1, { sender: "ben", answers: "id0", reactions: [{ emoji: "👍", names: ["ann"] }], earlier: ["x"] }),
    said(2, { answers: "gone", retracted: true, text: "" }),
  ]), NOON);
  const lines = plain.split("\n").map((line) => line.replace(/^\[[^\]]*\] /, ""));
  for (const line of ["ann: one", "    two", "ben: text 1", "    (answers ann: one two)", "    (edited; before: x)", "    (👍 ann)", "ann: (Taken back)", "    (answers: A message that is not here)"]) {
    assert.ok(lines.includes(line), `${line} is not in ${plain}`);
  }
});
