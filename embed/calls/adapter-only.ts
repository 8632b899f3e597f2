// The entry for programs that draw by themselves: media without a view.

import { Connections } from "./adapter.ts";
import type { Adapter, Host, Observer, Sent } from "./contract.ts";
import { Refused } from "./devices.ts";
import { Own, type Slot } from "./own.ts";

export type { Adapter, Command, Host, Limit, Observer, Sent, Tracks, View, Wish } from "./contract.ts";

export interface Media extends Adapter {
  /** What a command says of what is sent now. Sound and picture count while their tracks are enabled. */
  sent(hand?: boolean): Sent;
  /**
   * Sends these tracks of a stream as microphone and camera, or as a screen with its sound: one of each kind. Constraints open a
   * device, or a screen. Without a value, nothing is sent, and what was opened here is closed.
   *
   * @throws With a sentence for people, if a device cannot be opened.
   */
  use(kind: "camera" | "screen", source: MediaStream | MediaStreamConstraints | undefined): Promise<void>;
  close(): void;
}

/** Begins media for one chat. `host` hears of devices that end. */
export function open(host: Host, observer: Observer = {}): Media {
  const own = new Own();
  const connections = new Connections(own, observer);
  const slots = { camera: ["microphone", "camera"], screen: ["sound", "screen"] } as const;
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
    link: (...link) => connections.link(...link),
    unlink: (connection) => connections.unlink(connection),
    settle: (pc) => connections.settle(pc),
    sends: (peer, sends) => connections.sends(peer, sends),
    sent,
    async use(kind, source) {
      const mine = ++asked[kind];
      let stream: MediaStream | undefined;
      const isOurs = !(source instanceof MediaStream);
      if (source instanceof MediaStream) stream = source;
      else if (source) stream = await opened(kind, source);
      // Meanwhile, something else may have been chosen.
      if (mine !== asked[kind]) return isOurs ? stream?.getTracks().forEach((track) => track.stop()) : undefined;
      const [sound, picture] = slots[kind];
      own.put(sound, stream?.getAudioTracks()[0], isOurs);
      own.put(picture, stream?.getVideoTracks()[0], isOurs);
    },
    close() {
      own.close();
      connections.close();
    },
  };
}

async function opened(kind: "camera" | "screen", constraints: MediaStreamConstraints): Promise<MediaStream> {
  const { mediaDevices } = navigator;
  try {
    return await (kind === "screen" ? mediaDevices.getDisplayMedia(constraints) : mediaDevices.getUserMedia(constraints));
  } catch (error) {
    throw new Refused(kind === "screen" ? "screen" : constraints.video ? "camera" : "microphone", error);
  }
}
