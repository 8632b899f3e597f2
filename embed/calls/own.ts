// What this tab sends: two streams for the life of the chat, and their tracks, which come and go.

export type Slot = "microphone" | "camera" | "screen" | "sound";

export const SLOTS: readonly Slot[] = ["microphone", "camera", "screen", "sound"];

/** The stream that a slot belongs to. The sound of a screen belongs to the screen. */
export const streamOf = (slot: Slot): "camera" | "screen" => (slot === "microphone" || slot === "camera" ? "camera" : "screen");

interface Held {
  track: MediaStreamTrack;
  /** Whether the track is ours to stop. */
  isOurs: boolean;
  ended: () => void;
}

export class Own {
  readonly streams = { camera: new MediaStream(), screen: new MediaStream() };
  /** Tells that a track of ours has ended by itself: the device is gone, or somebody ended it outside of this page. */
  onend: ((slot: Slot) => void) | undefined;
  readonly #held = new Map<Slot, Held>();
  readonly #listeners = new Set<() => void>();

  /** Calls this whenever there are other tracks. */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
  }

  track(slot: Slot): MediaStreamTrack | undefined {
    return this.#held.get(slot)?.track;
  }

  /** Sends this track in a slot, instead of the one before, which is stopped if it is ours. */
  put(slot: Slot, track: MediaStreamTrack | undefined, isOurs = true): void {
    const before = this.#held.get(slot);
    if (before?.track === track) return;
    const stream = this.streams[streamOf(slot)];
    if (before) {
      this.#held.delete(slot);
      before.track.removeEventListener("ended", before.ended);
      stream.removeTrack(before.track);
      if (before.isOurs) before.track.stop();
    }
    if (track) {
      const ended = () => this.onend?.(slot);
      track.addEventListener("ended", ended);
      this.#held.set(slot, { track, isOurs, ended });
      stream.addTrack(track);
    }
    this.changed();
  }

  /** Whether sound or picture of a slot goes out. A track that is off is silent or black. */
  enable(slot: Slot, on: boolean): void {
    const track = this.track(slot);
    if (track) track.enabled = on;
  }

  /** Looks for tracks that ended while the tab was frozen, of which no event tells. */
  check(): void {
    for (const [slot, { track }] of [...this.#held]) if (track.readyState === "ended") this.onend?.(slot);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  close(): void {
    for (const slot of SLOTS) this.put(slot, undefined);
    this.#listeners.clear();
  }
}
