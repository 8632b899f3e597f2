// The call that this tab is in, and what it broadcasts, as programs see them.
import type { OwnCall, Sent, View } from "../calls/contract.ts";
import type { Media, Slot } from "../calls/plain.ts";
import type * as api from "../mqtt-rtc.js";
import type { Member } from "./peer.js";
import type { RemoteStreams } from "./remote-streams.ts";

/** What a call or a broadcast sends of microphone, camera and screen, as far as there are any. */
export type Kinds = Record<"microphone" | "camera" | "screen", boolean>;

/** What a call and a broadcast have in common. */
export interface Shared {
  readonly media: Media;
  readonly streams: RemoteStreams;
  member(id: string): Member | undefined;
  /** The call, as it stands. */
  view(call: RoomCall): OwnCall | undefined;
  share(broadcast: RoomBroadcast): View["share"];
  send(call: RoomCall, source: api.CallSource | undefined): Promise<void>;
  shareScreen(call: RoomCall, source: api.CallSource | undefined): Promise<void>;
  /** Says again what is sent. */
  tell(): void;
  end(call: RoomCall): void;
  unshare(broadcast: RoomBroadcast): void;
  remove(peer: api.Peer): void;
}

/** What is sent now of these kinds. */
export function sentOf(media: Media, kinds: Kinds, hand = false): Sent {
  const sent = media.sent(hand);
  return { ...sent, microphone: sent.microphone && kinds.microphone, camera: sent.camera && kinds.camera, screen: sent.screen && kinds.screen };
}

export class RoomCall implements api.Call {
  readonly conversation: string;
  readonly kinds: Kinds;
  hand = false;
  readonly #shared: Shared;
  #id = "";

  constructor(shared: Shared, conversation: string, kinds: Kinds) {
    this.#shared = shared;
    this.conversation = conversation;
    this.kinds = kinds;
  }

  get id(): string {
    this.#id = this.#shared.view(this)?.id ?? this.#id;
    return this.#id;
  }

  get state(): api.Call["state"] {
    return this.#shared.view(this)?.state ?? "ended";
  }

  get participants(): api.CallParticipant[] {
    const { streams } = this.#shared;
    return (this.#shared.view(this)?.peers ?? []).flatMap(({ peer: id, state, sends }) => {
      const peer = this.#shared.member(id)?.peer;
      if (!peer) return [];
      const { microphone: audio, camera: video, screen, hand } = sends;
      const connected = state === "connected";
      return [{ peer, connected, audio, video, screen, hand, stream: streams.of(id, "camera"), screenStream: streams.of(id, "screen") }];
    });
  }

  get localStream(): MediaStream {
    return this.#shared.media.streams.camera;
  }

  async send(source?: api.CallSource): Promise<void> {
    await this.#shared.send(this, source);
  }

  enable({ audio, video }: { audio?: boolean; video?: boolean }): void {
    if (audio !== undefined) for (const track of this.localStream.getAudioTracks()) track.enabled = Boolean(audio);
    if (video !== undefined) for (const track of this.localStream.getVideoTracks()) track.enabled = Boolean(video);
    this.#shared.tell();
  }

  async shareScreen(source: api.CallSource | undefined): Promise<void> {
    await this.#shared.shareScreen(this, source);
  }

  raiseHand(on: boolean): void {
    this.hand = Boolean(on);
    this.#shared.tell();
  }

  end(): void {
    this.#shared.end(this);
  }
}

export class RoomBroadcast implements api.Broadcast {
  readonly kinds: Kinds;
  readonly terms: { sensitive: boolean; asks: boolean; inReturn: boolean };
  readonly #shared: Shared;

  constructor(shared: Shared, kinds: Kinds, { sensitive = false, ask = false, inReturn = false }: api.BroadcastOptions) {
    this.#shared = shared;
    this.kinds = kinds;
    this.terms = { sensitive: Boolean(sensitive), asks: Boolean(ask), inReturn: Boolean(inReturn) };
  }

  get stream(): MediaStream {
    return this.#shared.media.streams.camera;
  }

  get watchers(): api.Peer[] {
    return (this.#shared.share(this)?.watchers ?? []).flatMap((id) => this.#shared.member(id)?.peer ?? []);
  }

  remove(peer: api.Peer): void {
    this.#shared.remove(peer);
  }

  end(): void {
    this.#shared.unshare(this);
  }
}

/** The slots that neither a call nor a broadcast sends. */
export function unused(used: readonly (Kinds | undefined)[]): Slot[] {
  const isUsed = (slot: Slot) => used.some((kinds) => kinds?.[slot === "sound" ? "screen" : slot]);
  return (["microphone", "camera", "screen", "sound"] as const).filter((slot) => !isUsed(slot));
}
