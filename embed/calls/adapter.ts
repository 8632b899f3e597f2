// Moves media over the connections of one chat. It draws nothing, and decides nothing about people: the program does.

import type { Adapter, Observer, Sent, Wish } from "./contract.ts";
import { type Heard, Link } from "./link.ts";
import type { Own } from "./own.ts";

type Kind = "camera" | "screen";

export class Connections implements Adapter {
  readonly #own: Own;
  readonly #observer: Observer;
  readonly #links = new Map<number, Link>();
  readonly #sends = new Map<string, Sent>();
  /** What the observer was told, by peer and kind. */
  readonly #told = new Map<string, { peer: string; kind: Kind; stream: MediaStream; tracks: string }>();
  #isTelling = false;

  constructor(own: Own, observer: Observer) {
    this.#own = own;
    this.#observer = observer;
    own.listen(() => this.refresh());
  }

  link(connection: number, peer: string, pc: RTCPeerConnection, wish: Wish): void {
    let link = this.#links.get(connection);
    if (link && link.pc !== pc) {
      link.close();
      link = undefined;
    }
    if (!link) {
      link = new Link(peer, pc, this.#own, () => this.#tell());
      this.#links.set(connection, link);
    }
    link.wish(wish);
    this.#tell();
  }

  unlink(connection: number): void {
    this.#links.get(connection)?.close();
    this.#links.delete(connection);
    this.#tell();
  }

  settle(pc: RTCPeerConnection): void {
    const link = [...this.#links.values()].find((link) => link.pc === pc);
    if (link) {
      link.settle();
      return;
    }
    // Nothing is wished of a connection that is not known yet.
    for (const section of pc.getTransceivers()) if (section.direction !== "stopped") section.direction = "inactive";
  }

  sends(peer: string, sent: Sent | undefined): void {
    if (sent) this.#sends.set(peer, sent);
    else this.#sends.delete(peer);
    this.#tell();
  }

  /** Does what is wished once more: there are other tracks, or a picture has another size. */
  refresh(): void {
    for (const link of this.#links.values()) link.apply();
  }

  /** What arrives of somebody. */
  heard(peer: string, kind: Kind): Heard | undefined {
    const id = this.#sends.get(peer)?.streams[kind];
    if (!id) return undefined;
    for (const link of this.#to(peer)) {
      const heard = link.heard(id);
      if (heard) return heard;
    }
    return undefined;
  }

  /** What the browser measures of the connection to somebody. */
  async measure(peer: string): Promise<RTCStatsReport | undefined> {
    const [link] = this.#to(peer);
    try {
      return await link?.pc.getStats();
    } catch {
      return undefined;
    }
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#sends.clear();
    this.#tell();
  }

  #to(peer: string): Link[] {
    return [...this.#links.values()].filter((link) => link.peer === peer);
  }

  /** Tells the observer what has changed, after everything that happens at the same time. */
  #tell(): void {
    if (!this.#observer.stream || this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#tellNow();
    });
  }

  #tellNow(): void {
    const now = new Map<string, { peer: string; kind: Kind; stream: MediaStream; tracks: string }>();
    for (const peer of new Set([...this.#links.values()].map((link) => link.peer))) {
      for (const kind of ["camera", "screen"] as const) {
        const stream = this.heard(peer, kind)?.stream;
        if (stream) now.set(`${kind} ${peer}`, { peer, kind, stream, tracks: stream.getTracks().map((track) => track.id).join() });
      }
    }
    for (const [key, { peer, kind }] of [...this.#told]) {
      if (now.has(key)) continue;
      this.#told.delete(key);
      // The stream itself may still have tracks, which may be received again.
      this.#observer.stream?.(peer, kind, new MediaStream());
    }
    for (const [key, told] of now) {
      const before = this.#told.get(key);
      if (before?.stream === told.stream && before.tracks === told.tracks) continue;
      this.#told.set(key, told);
      this.#observer.stream?.(told.peer, told.kind, told.stream);
    }
  }
}
