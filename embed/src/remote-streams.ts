// What others send: for everybody one stream for microphone and camera and one for screens, which stay the same.
import type { Member } from "./peer.js";

export type Kind = "camera" | "screen";

/** What the program is told of streams. */
export interface StreamListener {
  begun(peer: string, kind: Kind, stream: MediaStream): void;
  added(peer: string, track: MediaStreamTrack, stream: MediaStream): void;
  ended(peer: string, kind: Kind, stream: MediaStream): void;
}

/** The streams of everybody. */
export class RemoteStreams {
  readonly #listener: StreamListener;
  readonly #streams = new Map<string, MediaStream>();

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  of(peer: Member["id"], kind: Kind): MediaStream {
    const key = `${kind} ${peer}`;
    const stream = this.#streams.get(key) ?? new MediaStream();
    this.#streams.set(key, stream);
    return stream;
  }

  /** Streams that have tracks. */
  *all(): Generator<[peer: string, kind: Kind, stream: MediaStream]> {
    for (const [key, stream] of this.#streams) {
      const [kind, peer] = key.split(" ") as [Kind, string];
      if (stream.getTracks().length > 0) yield [peer, kind, stream];
    }
  }

  /** Somebody's stream has these tracks now. */
  put(peer: string, kind: Kind, tracks: readonly MediaStreamTrack[]): void {
    const stream = this.of(peer, kind);
    const before = stream.getTracks();
    for (const track of before) if (!tracks.includes(track)) stream.removeTrack(track);
    const added = tracks.filter((track) => !before.includes(track));
    for (const track of added) stream.addTrack(track);
    if (before.length === 0 && added.length > 0) this.#listener.begun(peer, kind, stream);
    for (const track of added) this.#listener.added(peer, track, stream);
    if (before.length > 0 && tracks.length === 0) this.#listener.ended(peer, kind, stream);
  }

  /** Forgets the streams of people of whom nothing is expected any more. */
  keep(isExpected: (peer: string) => boolean): void {
    for (const [key, stream] of [...this.#streams]) {
      const peer = key.slice(key.indexOf(" ") + 1);
      if (!isExpected(peer) && stream.getTracks().length === 0) this.#streams.delete(key);
    }
  }
}
