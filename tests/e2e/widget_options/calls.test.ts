import assert from "node:assert/strict";
import { test } from "node:test";

import { type What, lossSentence, sentence } from "../../../embed/calls/errors.ts";
import { type Place, Spotlight, around, arrange, clock, shrink, side, wanted } from "../../../embed/calls/grid.ts";
import { levelOf, rate, read } from "../../../embed/calls/quality.ts";

/** Whether tiles lie within the space, and none over another one. */
function isClean(places: (Place | undefined)[], width: number, height: number): boolean {
  const there = places.filter((place) => place !== undefined);
  const within = there.every(({ x, y, ...size }) => x >= 0 && y >= 0 && x + size.width <= width && y + size.height <= height);
  const apart = there.every((one, index) => there.slice(index + 1).every((other) =>
    one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y));
  return within && apart;
}

test("tiles stand beside each other in a wide space and below each other in a high one", () => {
  assert.equal(arrange(2, 1_200, 400, 8).columns, 2);
  assert.equal(arrange(2, 360, 640, 8).columns, 1);
  assert.deepEqual([arrange(4, 800, 600, 8).columns, arrange(4, 800, 600, 8).rows], [2, 2]);
  assert.deepEqual(arrange(0, 800, 600, 8), { columns: 1, rows: 1, width: 0, height: 0 });
});

test("tiles are never thinner or wider than a face can be shown", () => {
  for (const count of [1, 2, 3, 5, 8, 16, 48]) {
    for (const [width, height] of [[360, 200], [1_280, 320], [380, 560], [1_920, 1_000]] as const) {
      const tile = arrange(count, width, height, 8);
      const shape = tile.width / tile.height;
      assert.ok(shape >= 0.75 && shape <= 1.85, `${count} in ${width} × ${height}: ${shape}`);
      assert.ok(isClean(side(count, width, height, 8), width, height), `${count} in ${width} × ${height}`);
    }
  }
});

test("no other number of columns would cover more", () => {
  const covered = ({ width, height }: { width: number; height: number }) => width * height;
  const chosen = arrange(5, 1_000, 500, 8);
  for (let columns = 1; columns <= 5; columns++) {
    const rows = Math.ceil(5 / columns);
    const [across, down] = [(1_000 - 8 * (columns - 1)) / columns, (500 - 8 * (rows - 1)) / rows];
    const other = { width: Math.floor(Math.min(across, (down * 16) / 9)), height: Math.floor(Math.min(down, across * 1.25)) };
    assert.ok(covered(chosen) >= covered(other));
  }
});

test("a last row that is not full stands in the middle", () => {
  const [one, two, three] = side(3, 600, 600, 0);
  assert.ok(one && two && three);
  assert.equal(one.y, two.y);
  assert.ok(three.y > one.y);
  assert.ok(Math.abs(three.x + three.width / 2 - 300) <= 1);
});

test("around the one in the middle there are as many as there is space for", () => {
  for (const count of [1, 2, 3, 9, 48]) {
    for (const [width, height] of [[360, 200], [1_280, 320], [380, 560]] as const) {
      const places = around(0, count, width, height, 8);
      assert.equal(places.length, count);
      assert.ok(isClean(places, width, height), `${count} in ${width} × ${height}`);
      const main = places[0]!;
      assert.ok(places.slice(1).every((place) => !place || place.width * place.height < main.width * main.height));
    }
  }
  assert.deepEqual(around(0, 1, 300, 200, 8), [{ x: 0, y: 0, width: 300, height: 200 }]);
});

test("around the one in the middle everybody has a place in a call of a few, also on a phone", () => {
  for (const [width, height] of [[344, 239], [464, 300], [984, 263], [1_624, 380]] as const) {
    const places = around(0, 6, width, height, 8);
    assert.ok(places.every((place) => place !== undefined), `${width} × ${height}`);
    assert.ok(places[0]!.width * places[0]!.height > 0.6 * width * height, `${width} × ${height}`);
  }
});

test("pictures are wanted in steps that fit their tiles", () => {
  assert.deepEqual([0, -3, 60, 110, 120, 300, 700, 2_000].map((pixels) => wanted(pixels, "camera")), [0, 0, 90, 90, 180, 360, 720, 720]);
  assert.equal(wanted(2_000, "screen"), 1080);
});

test("pictures are only made smaller", () => {
  assert.equal(shrink(720, 360), 2);
  assert.equal(shrink(360, 720), 1);
  assert.equal(shrink(720, 0), 1);
  assert.equal(shrink(0, 360), 1);
});

test("who speaks keeps the middle for a moment", () => {
  const spotlight = new Spotlight();
  const levels = (ann: number, ben: number) => new Map([["ann", ann], ["ben", ben]]);
  assert.equal(spotlight.next(levels(0, 0), 0), undefined);
  assert.equal(spotlight.next(levels(0.2, 0), 100), "ann");
  assert.equal(spotlight.next(levels(0, 0.5), 300), "ann");
  assert.equal(spotlight.next(levels(0, 0.5), 2_200), "ben");
  assert.equal(spotlight.next(levels(0, 0), 9_000), "ben");
  assert.equal(spotlight.next(new Map([["ann", 0]]), 9_100), undefined);
});

test("clocks show hours once there are some", () => {
  assert.deepEqual([-5, 0, 5_000, 65_400, 3_600_000].map(clock), ["0:00", "0:00", "0:05", "1:05", "1:00:00"]);
});

test("every failure has a sentence of its own that says what to do", () => {
  const say = (what: What, name: string, message = "") => sentence(what, { name, message }, true);
  for (const what of ["camera", "microphone", "screen"] as const) {
    const names = ["NotAllowedError", "NotFoundError", "NotReadableError", "OverconstrainedError", "TypeError", "UnknownError"];
    const all = names.map((name) => say(what, name));
    assert.equal(new Set(all).size, all.length);
    for (const one of all) assert.ok(one.includes(what) && one.endsWith("."), one);
  }
  assert.match(say("camera", "NotAllowedError", "Permission dismissed"), /question was closed/);
  assert.match(say("camera", "NotAllowedError", "Permission denied by system"), /system's settings/);
  assert.match(say("camera", "NotAllowedError", "Permissions policy violation"), /page around/);
  assert.match(sentence("camera", { name: "TypeError" }, false), /https/);
  const losses = (["revoked", "replaced", "gone"] as const).map((loss) => lossSentence("microphone", loss));
  assert.equal(new Set(losses).size, 3);
});

test("a report becomes rates and a level", () => {
  const report = (lost: number, bytes: number, relayed: boolean) => [
    { id: "p", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 0.04, localCandidateId: "l", remoteCandidateId: "r" },
    { id: "l", type: "local-candidate", candidateType: relayed ? "relay" : "host" },
    { id: "i", type: "inbound-rtp", kind: "video", packetsReceived: 100 + lost, packetsLost: lost, bytesReceived: bytes, frameHeight: 360, frameWidth: 640 },
    { id: "o", type: "outbound-rtp", bytesSent: 2 * bytes },
  ];
  const first = read(report(0, 0, false), undefined, 0);
  assert.equal(first.quality.incoming, 0);
  const { quality } = read(report(20, 250_000, true), first.sums, 2_000);
  assert.equal(quality.incoming, 1_000_000);
  assert.equal(quality.outgoing, 2_000_000);
  assert.equal(quality.loss, 0.5);
  assert.equal(quality.level, "poor");
  assert.equal(quality.roundTrip, 40);
  assert.equal(quality.size, "640 × 360");
  assert.equal(quality.relayed, true);
  assert.deepEqual([levelOf(0, 20), levelOf(0.03, 20), levelOf(0, 300), levelOf(0.1, 20), levelOf(0, 900)], ["good", "fair", "fair", "poor", "poor"]);
  assert.deepEqual([rate(0), rate(64_400), rate(1_250_000)], ["0 kbit/s", "64 kbit/s", "1.3 Mbit/s"]);
});
