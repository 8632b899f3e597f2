// The entry for programs that draw by themselves: media without a view.

import { Connections } from "./adapter.ts";
import type { Adapter, Host, Observer, Sent } from "./contract.ts";
import { Refused } from "./devices.ts";
import { Own, type Slot } from "./own.ts";

export type { Adapter, Command, Host, Limit, Observer, Sent, Tracks, View, Wish } from "./contract.ts";
export type { Slot } from "./own.ts";
export { Refused };

/** Where a stream's sound and picture go. */
const SLOTS = { camera: ["microphone", "camera"], screen: ["sound", "screen"] } as const;

export interface Media extends Adapter {
  /** What is sent: the streams stay the same, and their tracks come and go. */
  readonly streams: { readonly camera: MediaStream; readonly screen: MediaStream };
  /** What a command says of what is sent now. Sound and picture count while their tracks are enabled. */
  sent(hand?: boolean): Sent;
  /**
   * Sends these tracks of a stream as microphone and camera, or as a screen with its sound: one of each kind. Constraints open a
   * device, or a screen. Without a value, nothing is sent, and what was opened here is closed.
   *
   * @param isMore Whether what is sent of a kind that the source does not have is sent on.
   * @throws {Refused} With a sentence for people, if a device cannot be opened.
   */
  use(kind: "camera" | "screen", source: MediaStream | MediaStreamConstraints | undefined, isMore?: boolean): Promise<void>;
  /** Sends this no more, and closes it if it was opened here. */
  stop(slot: Slot): void;
  close(): void;
}

/** Begins media for one chat. `host` hears of devices that end. */
export function open(host: Host, observer: Observer = {}): Media {
  const own = new Own();
  const connections = new Connections(own, observer);
  const sent = (hand = false): Sent => {
    const on = (slot: Slot) => own.track(slot)?.enabled ?? false;
    const { camera, screen } = own.streams;
    return { microphone: on("microphone"), camera: on("camera"), screen: on("screen"), hand, streams: { camera: camera.id, screen: screen.id } };
  };
  own.onend = (slot) => {
    own.put(slot, undefined);
    host.command({ do: "send", sends: sent() });
  };
  const asked = { camera: 0, screen: 0 };
  return {
    streams: own.streams,
    link: (...link) => connections.link(...link),
    unlink: (connection) => connections.unlink(connection),
    settle: (pc) => connections.settle(pc),
    sends: (peer, sends) => connections.sends(peer, sends),
    sent,
    async use(kind, source, isMore = false) {
      const mine = ++asked[kind];
      let stream: MediaStream | undefined;
      const isOurs = !isStream(source);
      if (isStream(source)) stream = source;
      else if (source) stream = await opened(kind, source);
      // Meanwhile, something else may have been chosen.
      if (mine !== asked[kind]) return isOurs ? stream?.getTracks().forEach((track) => track.stop()) : undefined;
      const [sound, picture] = SLOTS[kind];
      for (const [slot, track] of [[sound, stream?.getAudioTracks()[0]], [picture, stream?.getVideoTracks()[0]]] as const) {
        if (track || !isMore) own.put(slot, track, isOurs);
      }
    },
    stop: (slot) => own.put(slot, undefined),
    close() {
      own.close();
      connections.close();
    },
  };
}

/** Whether a value is a stream: also one of another frame, or of a canvas, which has a class of its own in Firefox. */
export const isStream = (value: unknown): value is MediaStream => typeof (value as MediaStream | undefined)?.getAudioTracks === "function";

async function opened(kind: "camera" | "screen", constraints: MediaStreamConstraints): Promise<MediaStream> {
  const { mediaDevices } = navigator;
  try {
    return await (kind === "screen" ? mediaDevices.getDisplayMedia(constraints) : mediaDevices.getUserMedia(constraints));
  } catch (error) {
    throw new Refused(kind === "screen" ? "screen" : constraints.video ? "camera" : "microphone", error);
  }
}
