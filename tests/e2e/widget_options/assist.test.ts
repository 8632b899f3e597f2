// Tests of what helps with writing. main.rs runs them with Node's own test runner.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Table } from "../../../embed/assist/table.ts";
import { begun, closed, hasCode, isInCode, names, replaceCodes } from "../../../embed/assist/words.ts";

const table = new Table([
  ["Smileys", "😀\tgrinning face\tgrinning\tsmile happy", "😄\tgrinning face with smiling eyes\tsmile\thappy joy", "😼\tcat with wry smile\tsmirk_cat\t"],
  ["Symbols", "👍\tthumbs up\t+1 thumbsup\tapprove ok", "💯\thundred points\t100\tscore"],
]);

test("the table is searched by every word, in any order and without marks over letters", () => {
  const found = (text: string) => table.search(text).map(({ emoji }) => emoji);
  assert.deepEqual(found("smile"), ["😀", "😄", "😼"]);
  assert.deepEqual(found("face grin"), ["😀", "😄"]);
  assert.deepEqual(found("thúmbs"), ["👍"]);
  assert.deepEqual(found("xyz"), []);
});

test("shortcodes that begin as written come first, and of those the exact one", () => {
  assert.deepEqual(table.codes("sm", 8).map(({ code }) => code), ["smile", "smirk_cat"]);
  assert.deepEqual(table.codes("cat", 8), [{ code: "smirk_cat", emoji: "😼" }]);
  assert.equal(table.codes("s", 1).length, 1);
  assert.equal(table.of("SMILE"), "😄");
  assert.equal(table.of("nothing"), undefined);
});

test("what is being written is found at the caret only", () => {
  assert.deepEqual(begun("hello :smi"), { sign: ":", at: 6, part: "smi" });
  assert.deepEqual(begun(":+1"), { sign: ":", at: 0, part: "+1" });
  assert.deepEqual(begun("hi @Ann Ma"), { sign: "@", at: 3, part: "Ann Ma" });
  assert.deepEqual(begun("@"), { sign: "@", at: 0, part: "" });
  assert.deepEqual(begun("(@b"), { sign: "@", at: 1, part: "b" });
  for (const text of ["", "10:30", "at 10:30:15", "https://a.example:80", "ann@example.org", "a: b", ":smi le", "`:smi", "```\n:smi", "` @a", "@a\nb"]) {
    assert.equal(begun(text), undefined, text);
  }
});

test("names are offered by their beginning, without case and marks", () => {
  const people = ["Zoë", "José María", "ben", "Joseph"];
  assert.deepEqual(names("jose", people), ["José María", "Joseph"]);
  assert.deepEqual(names("José m", people), ["José María"]);
  assert.deepEqual(names("zoe", people), ["Zoë"]);
  assert.deepEqual(names("en", people), []);
  assert.equal(names("", Array.from({ length: 50 }, (_, at) => `p${at}`)).length, 8);
});

test("shortcodes become emoji where they are closed, and nowhere else", () => {
  assert.deepEqual(closed("hi :smile:", table), { at: 3, emoji: "😄" });
  for (const text of [":smile", "a:smile:", "`:smile:", ":unknown:", "10:100:", "at 9:100:"]) assert.equal(closed(text, table), undefined, text);
});

test("in a whole text, code, times and addresses stay as they are", () => {
  for (const [text, expected] of [
    [":smile: and :+1:, (:100:)", "😄 and 👍, (💯)"],
    [":smile::smile: 😄:+1:", "😄😄 😄👍"],
    ["at 10:100:15 and :30:15", "at 10:100:15 and :30:15"],
    ["https://a.example:100:/x ftp://:smile:", "https://a.example:100:/x ftp://:smile:"],
    ["`:smile:` :smile: ``a ` :smile:``", "`:smile:` 😄 ``a ` :smile:``"],
    [":smile:\n```\n:smile:\n```\n:smile:", "😄\n```\n:smile:\n```\n😄"],
    ["```\n:smile:", "```\n:smile:"],
    ["a `b :smile:", "a `b 😄"],
    ["`x`:smile:", "`x`:smile:"],
    [":unknown: :SMILE:", ":unknown: 😄"],
  ]) {
    assert.equal(replaceCodes(text!, table), expected, text);
    if (text !== expected) assert.ok(hasCode(text!), text);
  }
});

test("code is known before it is closed", () => {
  for (const text of ["`a", "```\na", "a `b` `c", "```\na\n```\n`"]) assert.ok(isInCode(text), text);
  for (const text of ["", "`a`", "```\na\n```\nb", "`a\nb"]) assert.ok(!isInCode(text), text);
});

test("hostile texts take no time", () => {
  const start = performance.now();
  for (const part of [":", "@", "`", ":a", "```\n", "a:", " :a:", "` ", "[("]) {
    const text = part.repeat(10_000);
    replaceCodes(text, table);
    begun(text);
    isInCode(text);
  }
  assert.ok(performance.now() - start < 1_000, String(performance.now() - start));
});
