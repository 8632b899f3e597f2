// Tests of the options that a page may set. main.rs runs them with Node's own test runner.

import assert from "node:assert/strict";
import { test } from "node:test";

import { OPTIONS, type Source, dashed, file, json, query, resolve, settings } from "../../../embed/widget/options.ts";

const from = (values: Record<string, unknown>, called = (option: string) => option): Source => ({ values, called });

function resolved(...sources: Source[]): { options: Record<string, unknown>; warnings: string[] } {
  const warnings: string[] = [];
  return { options: resolve(sources, (sentence) => warnings.push(sentence)), warnings };
}

test("the first source that has a value wins", () => {
  const { options, warnings } = resolved(
    from({ room: "tag" }), from({ room: "query", theme: "dark" }), from({ room: "file", theme: "light", accept: "ask" }),
  );
  assert.deepEqual(options, { room: "tag", theme: "dark", accept: "ask" });
  assert.deepEqual(warnings, []);
});

test("an invalid value is named with the valid ones, and is ignored where nothing depends on it", () => {
  const { options, warnings } = resolved(
    from({ theme: "purple", position: "middle", name: "a".repeat(41) }, (option) => `data-${dashed(option)}`),
    from({ theme: "dark" }),
  );
  assert.deepEqual(options, { theme: "dark" });
  assert.equal(warnings.length, 3);
  const [name, theme, position] = warnings as [string, string, string];
  assert.match(name, /data-name.*40/);
  for (const word of ["data-theme", '"purple"', '"auto"', '"light"', '"dark"']) assert.ok(theme.includes(word), theme);
  for (const word of ["top-left", "top-right", "bottom-left", "bottom-right"]) assert.ok(position.includes(word), position);
});

test("lists are written with spaces, with commas or as JSON", () => {
  for (const brokers of ["wss://a.example/mqtt ws://b.example", "wss://a.example/mqtt, ws://b.example", '["wss://a.example/mqtt", "ws://b.example"]']) {
    assert.deepEqual(resolved(from({ brokers })).options, { brokers: ["wss://a.example/mqtt", "ws://b.example"] });
  }
  const whole = [{ url: "wss://a.example", username: "chat", password: "x" }];
  assert.deepEqual(resolved(from({ brokers: JSON.stringify(whole) })).options, { brokers: whole });
  assert.deepEqual(resolved(from({ iceServers: "stun:a.example turn:b.example" })).options, {
    iceServers: [{ urls: "stun:a.example" }, { urls: "turn:b.example" }],
  });
  assert.deepEqual(resolved(from({ iceServers: "none" })).options, { iceServers: [] });
  for (const brokers of ["", "none", "[]", "[", "https://a.example", "wss://", "wss://a.example http://b.example", "javascript:alert(1)"]) {
    assert.equal(OPTIONS.brokers!.read(brokers), undefined, brokers);
    assert.equal(resolved(from({ brokers })).warnings.length, 1, brokers);
  }
});

test("invisible marks at the ends of a name do not count", () => {
  for (const name of ["\u200eAnn (she/her)\u200e", "\u2067" + "a".repeat(40) + "\u2069", "Zoe\u0308".repeat(10) + "\ufeff"]) {
    const { options, warnings } = resolved(from({ name }));
    assert.deepEqual(warnings, [], name);
    assert.ok(!/[\u200e\u2067\u2069\ufeff]/.test(options.name as string));
  }
});

test("an attribute without a value means yes", () => {
  for (const yes of ["", "true", "1", "yes", true]) assert.equal(OPTIONS.open!.read(yes), true);
  for (const no of ["false", "0", "no", false]) assert.equal(OPTIONS.open!.read(no), false);
  assert.equal(OPTIONS.open!.read("perhaps"), undefined);
});

test("a query may ask for the bubble", () => {
  for (const yes of ["?add", "?add=true", "?add=1", "?add=yes", "?v=3&add"]) assert.ok(query(new URLSearchParams(yes)).add, yes);
  for (const no of ["", "?add=false", "?add=no", "?added", "?room=add"]) assert.ok(!query(new URLSearchParams(no)).add, no);
  const { source } = query(new URLSearchParams("?add&room=help+desk&ice-servers=none"));
  assert.deepEqual(resolved(source).options, { room: "help desk", iceServers: [] });
});

test("a file that is no object in UTF-8 is refused", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  for (const text of ["", "[]", "null", "3", '"room"', "{", "<!DOCTYPE html>"]) {
    assert.throws(() => file(bytes(text)), /it (is not valid JSON|should be an object)/, text);
  }
  assert.throws(() => file(Uint8Array.from([...bytes('{ "room": "caf'), 0xe9, ...bytes('" }')])), /not text in UTF-8/);
  assert.deepEqual(file(bytes('\ufeff{ "room": "garden" }')), { room: "garden" });
});

test("what leaves open where people meet or who is let in is for the program to judge", () => {
  for (const [option, given, passed] of [
    ["accept", "nobody", "nobody"],
    ["room", "a".repeat(65), "a".repeat(65)],
    ["brokers", "https://a.example", ["https://a.example"]],
    ["brokers", "wss://a.example http://b.example", ["wss://a.example", "http://b.example"]],
    ["brokers", "{", "{"],
    ["iceServers", "stn:a.example", [{ urls: "stn:a.example" }]],
  ] as const) {
    const { options, warnings } = resolved(from({ [option]: given }), from({ accept: "everyone", room: "b", brokers: "wss://public.example" }));
    assert.deepEqual(options[option], passed);
    assert.equal(warnings.length, 1);
    assert.ok(!warnings[0]!.includes("counts as not given"));
  }
});

test("features that are not named, or not known, are off", () => {
  for (const [given, passed, warned] of [
    ["files dm", ["files", "dm"], 0],
    ['["history"]', ["history"], 0],
    [["channels"], ["channels"], 0],
    ["", [], 0],
    ["none", [], 0],
    ["files calls", ["files", "calls"], 1],
    ["all", ["all"], 1],
    ["[", "[", 1],
    [true, true, 1],
  ] as const) {
    const { options, warnings } = resolved(from({ features: given }), from({ features: "files channels dm history" }));
    assert.deepEqual(options, { features: passed }, String(given));
    assert.equal(warnings.length, warned, String(given));
  }
  assert.deepEqual(resolved(from({})).options, {});
});

test("the program gets the settings of the file with the given options applied, and no options of the widget", () => {
  const text = settings({ room: "file", brokers: ["wss://a.example"], theme: "dark", open: true, name: "x" }, { room: "tag" });
  assert.deepEqual(JSON.parse(text), { room: "tag", brokers: ["wss://a.example"] });
});

test("a page is an address of the web, which may be relative", () => {
  for (const page of ["/", "blog/", "https://a.example/x?y"]) assert.equal(OPTIONS.page!.read(page), page);
  for (const page of ["", "mailto:a@a.example", "https://", 3, null]) assert.equal(OPTIONS.page!.read(page), undefined);
});

test("JSON is written without the toJSON of others", () => {
  const values = [null, true, 3, NaN, 'a "b"\n', [], [1, undefined, ["x"]], {}, { a: { "b c": [{}] }, d: undefined, e: null }];
  for (const value of values) assert.equal(json(value), JSON.stringify(value));
  const prototypes: { toJSON?: () => string }[] = [Array.prototype, Object.prototype] as object[];
  for (const prototype of prototypes) prototype.toJSON = () => "old";
  try {
    assert.equal(json({ a: ["b", { c: 1 }] }), '{"a":["b",{"c":1}]}');
  } finally {
    for (const prototype of prototypes) delete prototype.toJSON;
  }
});

test("names of prototype properties are not options", () => {
  assert.deepEqual(resolved(query(new URLSearchParams("?constructor=1&__proto__=2&toString=3")).source).options, {});
});
