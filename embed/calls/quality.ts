// How well somebody's pictures and sound arrive.

import { element } from "../assist/elements.ts";
import type { Connections } from "./adapter.ts";

export type Level = "good" | "fair" | "poor";

/** What was measured of a connection. Times are in milliseconds, rates in bits a second. */
export interface Quality {
  level: Level;
  roundTrip: number | undefined;
  jitter: number | undefined;
  /** Of 1. */
  loss: number;
  incoming: number;
  outgoing: number;
  size: string;
  relayed: boolean | undefined;
}

/** The sums of a report; rates are differences between two of them. */
export interface Sums {
  at: number;
  received: number;
  lost: number;
  bytesIn: number;
  bytesOut: number;
}

/** Reads a report. Without sums from before, there are no rates. */
export function read(report: Iterable<Record<string, any>>, before: Sums | undefined, now: number): { quality: Quality; sums: Sums } {
  const all = [...report];
  const byId = new Map(all.map((stats) => [stats.id, stats]));
  const sums: Sums = { at: now, received: 0, lost: 0, bytesIn: 0, bytesOut: 0 };
  let [roundTrip, jitter, height, width] = [undefined as number | undefined, undefined as number | undefined, 0, 0];
  let relayed: boolean | undefined;
  for (const stats of all) {
    if (stats.type === "inbound-rtp") {
      sums.received += stats.packetsReceived ?? 0;
      sums.lost += Math.max(0, stats.packetsLost ?? 0);
      sums.bytesIn += stats.bytesReceived ?? 0;
      if (stats.kind === "audio") jitter = (stats.jitter ?? 0) * 1_000;
      if ((stats.frameHeight ?? 0) > height) [width, height] = [stats.frameWidth, stats.frameHeight];
    } else if (stats.type === "outbound-rtp") sums.bytesOut += stats.bytesSent ?? 0;
    else if (stats.type === "candidate-pair" && (stats.selected || (stats.nominated && stats.state === "succeeded"))) {
      if (stats.currentRoundTripTime !== undefined) roundTrip = stats.currentRoundTripTime * 1_000;
      const ends = [byId.get(stats.localCandidateId), byId.get(stats.remoteCandidateId)];
      relayed = ends.some((end) => end?.candidateType === "relay");
    }
  }
  const seconds = before ? Math.max(0.001, (now - before.at) / 1_000) : Infinity;
  const since = (key: "received" | "lost" | "bytesIn" | "bytesOut") => Math.max(0, sums[key] - (before?.[key] ?? 0));
  const packets = since("received") + since("lost");
  const loss = before && packets ? since("lost") / packets : 0;
  const rate = (key: "bytesIn" | "bytesOut") => (since(key) * 8) / seconds;
  const level = levelOf(loss, roundTrip ?? 0);
  return {
    sums,
    quality: { level, roundTrip, jitter, loss, incoming: rate("bytesIn"), outgoing: rate("bytesOut"), size: height ? `${width} × ${height}` : "", relayed },
  };
}

/** From so much loss, of 1, and such a time to the other side and back, in milliseconds, a call is worse. */
const FAIR = { loss: 0.02, roundTrip: 250 };
const POOR = { loss: 0.08, roundTrip: 500 };

export function levelOf(loss: number, roundTrip: number): Level {
  const reaches = (than: typeof FAIR) => loss >= than.loss || roundTrip >= than.roundTrip;
  return reaches(POOR) ? "poor" : reaches(FAIR) ? "fair" : "good";
}

export const WORDS: Record<Level, string> = { good: "Good connection", fair: "Fair connection", poor: "Poor connection" };

/** A rate as people read it. */
export const rate = (bits: number): string => (bits >= 1_000_000 ? `${(bits / 1_000_000).toFixed(1)} Mbit/s` : `${Math.round(bits / 1_000)} kbit/s`);

/** The lines of a panel. */
export function lines(quality: Quality | undefined): Node[] {
  if (!quality) return [element("p", { class: "hint" }, "It is being measured …")];
  const { level, roundTrip, jitter, loss, incoming, outgoing, size, relayed } = quality;
  const list = element("dl", {});
  const line = (term: string, text: string) => list.append(element("dt", {}, term), element("dd", {}, text));
  if (roundTrip !== undefined) line("There and back", `${Math.round(roundTrip)} ms`);
  if (jitter !== undefined) line("Jitter", `${Math.round(jitter)} ms`);
  line("Lost", `${(loss * 100).toFixed(1)} %`);
  line("Arrives", rate(incoming));
  line("Is sent", rate(outgoing));
  if (size) line("Picture", size);
  if (relayed !== undefined) line("Way", relayed ? "Through a relay" : "Direct");
  return [element("h2", {}, WORDS[level]), list];
}

/** Measures the connections to people, one report after the other. */
export class Qualities {
  readonly #connections: Connections;
  readonly #sums = new Map<string, Sums>();
  readonly #last = new Map<string, Quality>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  of(peer: string): Quality | undefined {
    return this.#last.get(peer);
  }

  /** Measures these people, and forgets everybody else. */
  async measure(peers: Iterable<string>): Promise<void> {
    const wanted = new Set(peers);
    for (const peer of [...this.#sums.keys()]) {
      if (wanted.has(peer)) continue;
      this.#sums.delete(peer);
      this.#last.delete(peer);
    }
    for (const peer of wanted) {
      const report = await this.#connections.measure(peer);
      if (!report) continue;
      const stats: Record<string, any>[] = [];
      report.forEach((value) => stats.push(value));
      const before = this.#sums.get(peer);
      const { quality, sums } = read(stats, before, performance.now());
      this.#sums.set(peer, sums);
      if (before) this.#last.set(peer, quality);
    }
  }
}
