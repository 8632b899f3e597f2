// What others broadcast, and who wants to watch what we broadcast.
import type { View } from "../calls/contract.ts";
import type * as api from "../mqtt-rtc.js";
import type { CallHost } from "./call-host.ts";
import type { Member } from "./peer.js";
import type { RemoteStreams } from "./remote-streams.ts";

type Share = View["shares"][number];

/** A call to `watch` that waits. */
interface Waiting {
  come: (stream: MediaStream) => void;
  failed: (error: Error) => void;
}

const isAnything = ({ sends }: Share): boolean => sends.microphone || sends.camera || sends.screen;

const infoOf = ({ sends, sensitive, asks, inReturn }: Share): api.BroadcastInfo => {
  const { microphone: audio, camera: video, screen } = sends;
  return { audio, video, screen, sensitive, asks, inReturn };
};

export class Shares {
  readonly #host: CallHost;
  readonly #streams: RemoteStreams;
  readonly #told = new Map<string, { member: Member; info: string }>();
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #asked = new Set<string>();
  #shares: Share[] = [];
  #own: View["share"];
  #watchers = "";

  constructor(host: CallHost, streams: RemoteStreams) {
    this.#host = host;
    this.#streams = streams;
  }

  changed({ shares, share }: View): void {
    this.#shares = shares;
    this.#own = share;
    for (const one of shares.filter(isAnything)) {
      const member = this.#host.member(one.peer);
      const info = JSON.stringify(infoOf(one));
      if (!member || this.#told.get(one.peer)?.info === info) continue;
      this.#told.set(one.peer, { member, info });
      this.#host.handlers.emit("broadcast", member.user, infoOf(one), member.peer);
    }
    for (const [peer, { member }] of [...this.#told]) {
      if (shares.some((one) => one.peer === peer && isAnything(one))) continue;
      this.#told.delete(peer);
      this.#host.handlers.emit("broadcastended", member.user, member.peer);
    }
    this.settle();
    this.#tellWatchers();
    this.look();
  }

  /** Tells a handler that was added late of what others broadcast. */
  late(handler: api.Events["broadcast"]): void {
    for (const one of this.#shares) {
      const told = this.#told.get(one.peer);
      if (told) this.#host.handlers.emitTo(handler, "broadcast", told.member.user, infoOf(one), told.member.peer);
    }
  }

  watch(member: Member): Promise<MediaStream> {
    const share = this.#shares.find((share) => share.peer === member.id);
    if (!share || !isAnything(share)) throw this.#host.error("gone", `${member.user} broadcasts nothing.`);
    this.#host.command({ do: "watch", peer: member.id, on: true });
    return new Promise((come, failed) => {
      const waiting = this.#waiting.get(member.id) ?? new Set();
      this.#waiting.set(member.id, waiting.add({ come, failed }));
      this.changed(this.#host.view());
    });
  }

  unwatch(id: string): void {
    this.#host.command({ do: "watch", peer: id, on: false });
    this.#fail(id, this.#host.error("gone", "It is not watched any more."));
  }

  /** Ends the waiting of those for whom everything has come, or nothing will. */
  settle(): void {
    for (const [id, waiting] of [...this.#waiting]) {
      const share = this.#shares.find((share) => share.peer === id);
      if (!share || !isAnything(share)) this.#fail(id, this.#host.error("gone", "The broadcast is over."));
      else if (share.state === "refused" || share.state === "ended") this.#fail(id, this.#host.error("refused", "We may not watch this."));
      else if (share.state === "watching" && this.hasAll(id, share.sends)) {
        this.#waiting.delete(id);
        const { microphone, camera } = share.sends;
        const stream = this.#streams.of(id, microphone || camera ? "camera" : "screen");
        for (const { come } of waiting) come(stream);
      }
    }
  }

  /** Whether everything has come that somebody says they send. */
  hasAll(id: string, { microphone, camera, screen }: Share["sends"]): boolean {
    const sound = this.#streams.of(id, "camera").getAudioTracks().length > 0;
    const picture = this.#streams.of(id, "camera").getVideoTracks().length > 0;
    const seen = this.#streams.of(id, "screen").getVideoTracks().length > 0;
    return (sound || !microphone) && (picture || !camera) && (seen || !screen);
  }

  #fail(id: string, error: Error): void {
    const waiting = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    for (const { failed } of waiting) failed(error);
  }

  #tellWatchers(): void {
    const watchers = this.#own?.watchers ?? [];
    if (watchers.join() === this.#watchers) return;
    this.#watchers = watchers.join();
    this.#host.handlers.emit("watchers", watchers.flatMap((id) => this.#host.member(id)?.peer ?? []));
  }

  /** Asks the program about those who want to watch, if it has a handler for that. */
  look(): void {
    const asking = this.#own?.asking ?? [];
    for (const id of [...this.#asked]) if (!asking.includes(id)) this.#asked.delete(id);
    if (!this.#host.handlers.has("watchrequest")) return;
    for (const id of asking) {
      const member = this.#host.member(id);
      if (!member || this.#asked.has(id)) continue;
      this.#asked.add(id);
      void this.#ask(member);
    }
  }

  async #ask(member: Member): Promise<void> {
    let on = true;
    for (const result of this.#host.handlers.results("watchrequest", member.user, member.peer)) {
      try {
        if ((await result) !== true) on = false;
      } catch (error) {
        on = false;
        this.#host.handlers.report(error);
      }
    }
    if (this.#own?.asking.includes(member.id)) this.#host.command({ do: "admit", peer: member.id, on });
  }
}
