// Tests of what is pure in the store: keys and their ranges, what tabs tell each other, and why something failed. main.rs
// runs them with Node's own test runner.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Change, read, written } from "../../../embed/store/changes.ts";
import { problem, reasonOf, StoreError } from "../../../embed/store/errors.ts";
import { after, afterPrefix, before, type Bytes, joined, only, type Range, withPrefix } from "../../../embed/store/keys.ts";

const run = (byte: number, length: number): Bytes => new Uint8Array(length).fill(byte);
const room = run(7, 32);
const key = (conversation: number, clock: number, id: number): Bytes =>
  joined(run(conversation, 16), new Uint8Array([0, 0, 0, 0, 0, 0, clock >> 8, clock & 255]), run(id, 32));

function holds({ lower, isOpen, end }: Range, key: Bytes): boolean {
  const order = Buffer.compare(key, lower);
  return (isOpen ? order > 0 : order >= 0) && (!end || Buffer.compare(key, end) < 0);
}

test("what follows a prefix is the next one", () => {
  assert.deepEqual(afterPrefix(new Uint8Array([1, 2])), new Uint8Array([1, 3]));
  assert.deepEqual(afterPrefix(new Uint8Array([1, 255])), new Uint8Array([2]));
  assert.equal(afterPrefix(new Uint8Array([255, 255])), undefined);
  assert.equal(afterPrefix(new Uint8Array()), undefined);
});

test("ranges hold what they should", () => {
  const keys = [0, 1, 255].flatMap((conversation) => [0, 1, 255, 256].flatMap((clock) => [0, 255].map((id) => key(conversation, clock, id))));
  for (const [place, one] of keys.entries()) {
    for (const [other, rest] of keys.entries()) {
      const whole = joined(room, rest);
      const all = withPrefix(room);
      assert.ok(holds(all, whole));
      assert.ok(!holds(withPrefix(run(6, 32)), whole) && !holds(withPrefix(run(8, 32)), whole));
      assert.equal(holds(withPrefix(joined(room, one.slice(0, 16))), whole), one[0] === rest[0]);
      assert.equal(holds(only(joined(room, one)), whole), place === other);
      assert.equal(holds(after(all, joined(room, one)), whole), other > place);
      assert.equal(holds(before(all, joined(room, one)), whole), other < place);
    }
  }
});

test("changes arrive as they were told", () => {
  const told = (change: Change): (Change | undefined)[] => [...written(change)].map(read);
  const conversation = run(1, 16);
  for (const change of [
    { kind: "put", room, keys: [key(1, 1, 1), key(1, 2, 2)] },
    { kind: "deleted", room, keys: [key(1, 300, 1)] },
    { kind: "conversation", room, conversation },
    { kind: "room", room },
    { kind: "state", room, name: "draft of Åsa" },
    { kind: "state", room, name: "" },
  ] satisfies Change[]) {
    assert.deepEqual(told(change), [change]);
  }
  // One for each conversation.
  const keys = [key(1, 1, 1), key(2, 1, 1), key(1, 2, 2)];
  const puts = [[keys[0], keys[2]], [keys[1]]].map((keys) => ({ kind: "put", room, keys }));
  assert.deepEqual(told({ kind: "put", room, keys }), puts);
  assert.deepEqual(told({ kind: "put", room, keys: [] }), []);
  // The form is that of all versions, since tabs of several may be open.
  const [put] = written({ kind: "put", room, keys: [key(1, 1, 1)] });
  assert.deepEqual(put, joined(new Uint8Array([1]), room, key(1, 1, 1)));
});

test("messages of other programs are no changes", () => {
  const [deleted] = written({ kind: "conversation", room, conversation: run(1, 16) });
  for (const wrong of [
    undefined,
    "hello",
    new Uint8Array(),
    run(9, 33),
    run(5, 33),
    run(0, 33),
    run(6, 32),
    deleted!.slice(0, -1),
    joined(deleted!, new Uint8Array(1)),
    joined(new Uint8Array([1]), room, run(1, 16), run(0, 39)),
    joined(new Uint8Array([1]), room, run(1, 15)),
    joined(new Uint8Array([4]), room, new Uint8Array(1)),
    joined(new Uint8Array([6]), room, run(255, 1)),
  ]) {
    assert.equal(read(wrong), undefined, String(wrong));
  }
});

test("errors of browsers become sentences for people", () => {
  assert.equal(reasonOf("SecurityError"), "denied");
  assert.equal(reasonOf("InvalidStateError"), "denied");
  assert.equal(reasonOf("QuotaExceededError"), "full");
  assert.equal(reasonOf("NS_ERROR_DOM_INDEXEDDB_QUOTA_ERR"), "full");
  assert.equal(reasonOf("UnknownError"), "broken");
  assert.equal(reasonOf("VersionError"), "newer");
  assert.equal(reasonOf("AbortError"), "closed");
  assert.equal(reasonOf("TimeoutError"), "other");
  assert.equal(reasonOf("constructor"), "other");
  assert.equal(reasonOf(""), "other");
  const closed = new StoreError("closed");
  assert.equal(problem(closed), closed);
  assert.match(problem(new DOMException("", "QuotaExceededError")).message, /^This browser has no room left/);
});
