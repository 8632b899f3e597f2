// The media of one connection. Every track that is sent has a section of its own in the descriptions, which is made once and then
// used again: `replaceTrack` and the direction start and stop it. So there are never more than four sections from each side.

import type { Limit, Wish } from "./contract.ts";
import { shrink } from "./grid.ts";
import { type Own, SLOTS, type Slot, streamOf } from "./own.ts";

/** Of each kind, the other side sends at most so many tracks. More are refused for good. */
const MOST = 2;

/** With so many processor cores, a screen is worth a codec that is dearer. */
const MANY_CORES = 8;

/**
 * Pictures of a camera begin with at most this height. As long as a browser does not know what the way can carry, it leaves out
 * pictures that seem too large for it: four of 1280 × 720 in Chromium, which are 200 ms at 20 a second.
 */
const FIRST_HEIGHT = 180;

/** So many milliseconds after the other side has agreed to them, pictures get the height that is wished. */
const FIRST_TIME = 1000;

/** What the other side sends in one of its streams. */
export interface Heard {
  stream: MediaStream;
  /** Where the loudness of its sound can be read. */
  audio: RTCRtpReceiver | undefined;
}

export class Link {
  readonly peer: string;
  readonly pc: RTCPeerConnection;
  readonly #own: Own;
  readonly #changed: () => void;
  readonly #sections = new Map<Slot, RTCRtpTransceiver>();
  readonly #streams = new WeakMap<RTCRtpTransceiver, MediaStream>();
  readonly #watched = new WeakSet<MediaStream>();
  #wish: Wish | undefined;
  /** Whether pictures of the camera are still small, and what ends that. */
  #isFirst = true;
  #growth: ReturnType<typeof setTimeout> | undefined;
  #isWorking = false;
  #isAgain = false;
  #isClosed = false;

  constructor(peer: string, pc: RTCPeerConnection, own: Own, changed: () => void) {
    this.peer = peer;
    this.pc = pc;
    this.#own = own;
    this.#changed = changed;
    pc.addEventListener("track", this.#track);
    pc.addEventListener("signalingstatechange", this.#agreed);
  }

  /** Carries out a wish, from now on and whenever there are other tracks. */
  wish(wish: Wish): void {
    this.#wish = wish;
    this.apply();
  }

  close(): void {
    this.#isClosed = true;
    this.pc.removeEventListener("track", this.#track);
    this.pc.removeEventListener("signalingstatechange", this.#agreed);
    clearTimeout(this.#growth);
  }

  /** Brings the connection to what is wished. Only the last of several calls in a row counts. */
  apply(): void {
    if (this.#isClosed || this.pc.signalingState === "closed") return;
    this.#receive();
    this.#isAgain = true;
    if (this.#isWorking) return;
    this.#isWorking = true;
    void this.#work();
  }

  /** Closes the directions that nobody wishes, before an offer is answered. */
  settle(): void {
    const seen = { audio: 0, video: 0 };
    for (const section of this.#theirs()) {
      const kind = section.receiver.track.kind as "audio" | "video";
      if (++seen[kind] > MOST) section.stop();
    }
    this.#receive();
  }

  /** What arrives in the stream with this id; nothing if that is not to be received or has no tracks. */
  heard(id: string): Heard | undefined {
    if (!this.#wish?.receive) return undefined;
    let heard: Heard | undefined;
    for (const section of this.#theirs()) {
      const stream = this.#streams.get(section);
      if (stream?.id !== id || !stream.getTracks().includes(section.receiver.track)) continue;
      heard ??= { stream, audio: undefined };
      if (section.receiver.track.kind === "audio") heard.audio = section.receiver;
    }
    return heard;
  }

  /** The sections that the other side has begun. */
  #theirs(): RTCRtpTransceiver[] {
    const ours = new Set(this.#sections.values());
    return this.pc.getTransceivers().filter((section) => !ours.has(section) && !isStopped(section));
  }

  readonly #track = ({ transceiver, streams: [stream] }: RTCTrackEvent): void => {
    if (!stream) return;
    this.#streams.set(transceiver, stream);
    if (!this.#watched.has(stream)) {
      this.#watched.add(stream);
      stream.addEventListener("removetrack", this.#changed);
    }
    this.#changed();
  };

  readonly #agreed = (): void => {
    const camera = this.#sections.get("camera");
    if (camera?.currentDirection !== "sendonly" || this.#growth !== undefined) return;
    this.#growth = setTimeout(() => {
      this.#isFirst = false;
      this.apply();
    }, FIRST_TIME);
  };

  #receive(): void {
    const { receive = false, pictures = false } = this.#wish ?? {};
    for (const section of this.#theirs()) {
      const wanted = receive && (pictures || section.receiver.track.kind === "audio") ? "recvonly" : "inactive";
      if (section.direction !== wanted) section.direction = wanted;
    }
  }

  async #work(): Promise<void> {
    while (this.#isAgain && !this.#isClosed) {
      this.#isAgain = false;
      try {
        // All at once: what is to stop does not wait for anything.
        await Promise.all(SLOTS.map((slot) => this.#send(slot)));
        await Promise.all(SLOTS.map((slot) => this.#limit(slot)));
      } catch {
        // The connection is closing, or parameters changed in between. The next wish tries again.
      }
    }
    this.#isWorking = false;
  }

  #wants(slot: Slot): boolean {
    const send = this.#wish?.send;
    if (!send) return false;
    return slot === "sound" ? send.screen : send[slot];
  }

  async #send(slot: Slot): Promise<void> {
    const track = (this.#wants(slot) && this.#own.track(slot)) || null;
    const section = this.#sections.get(slot);
    if (!section) {
      if (track) this.#begin(slot, track);
      return;
    }
    if (isStopped(section)) return;
    const direction = track || this.#stays(slot) ? "sendonly" : "inactive";
    // Muting and the camera's switch are quick, because during a call their sections stay open.
    if (section.direction !== direction && (track || direction === "inactive")) section.direction = direction;
    if (section.sender.track !== track) await section.sender.replaceTrack(track);
  }

  #stays(slot: Slot): boolean {
    return streamOf(slot) === "camera" && this.#wish !== undefined && (this.#wish.receive || this.#wish.send.microphone || this.#wish.send.camera);
  }

  #begin(slot: Slot, track: MediaStreamTrack): void {
    const section = this.pc.addTransceiver(track, {
      direction: "sendonly",
      streams: [this.#own.streams[streamOf(slot)]],
      sendEncodings: [this.#encoding(slot, track)],
    });
    this.#sections.set(slot, section);
    prefer(section, slot);
  }

  #encoding(slot: Slot, track: MediaStreamTrack): RTCRtpEncodingParameters {
    if (track.kind === "audio") return { active: true, priority: "high", networkPriority: "high" };
    const { height: most, frameRate, bitrate }: Limit = slot === "screen" ? this.#wish!.screen : this.#wish!.camera;
    const height = slot === "camera" && this.#isFirst ? Math.min(most, FIRST_HEIGHT) : most;
    const encoding: RTCRtpEncodingParameters = {
      active: height > 0,
      priority: "low",
      networkPriority: "low",
      scaleResolutionDownBy: shrink(track.getSettings().height ?? 0, height),
    };
    if (frameRate > 0) encoding.maxFramerate = frameRate;
    if (bitrate > 0) encoding.maxBitrate = bitrate;
    return encoding;
  }

  async #limit(slot: Slot): Promise<void> {
    const section = this.#sections.get(slot);
    const track = section?.sender.track;
    if (!section || !track || isStopped(section)) return;
    const parameters: RTCRtpSendParameters & { degradationPreference?: string } = section.sender.getParameters();
    const [encoding] = parameters.encodings;
    if (!encoding) return;
    const wanted = this.#encoding(slot, track);
    const preference = slot === "screen" && track.contentHint !== "motion" ? "maintain-resolution" : slot === "screen" ? "maintain-framerate" : "balanced";
    const isSame = (Object.keys(wanted) as (keyof RTCRtpEncodingParameters)[]).every((key) => encoding[key] === wanted[key] || (key === "networkPriority" && !(key in encoding)));
    if (isSame && (track.kind === "audio" || (parameters.degradationPreference ?? preference) === preference)) return;
    Object.assign(encoding, wanted);
    if (track.kind === "video") parameters.degradationPreference = preference;
    await section.sender.setParameters(parameters);
  }
}

const isStopped = (section: RTCRtpTransceiver): boolean => section.direction === "stopped" || section.currentDirection === "stopped";

/** Whether it is the form of a codec that every browser has: there are many of H.264. */
const isCommon = ({ mimeType, sdpFmtpLine = "" }: RTCRtpCodec): boolean =>
  !/h264/i.test(mimeType) || (/packetization-mode=1/.test(sdpFmtpLine) && /profile-level-id=42e0/i.test(sdpFmtpLine));

/**
 * Puts the codecs in order, and leaves out those that no current browser would choose, so that descriptions are short. Opus has
 * its correction of losses by default.
 */
function prefer(section: RTCRtpTransceiver, slot: Slot): void {
  const kind = section.receiver.track.kind;
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const order = kind === "audio" ? ["opus"] : ["vp8", "h264"];
  if (slot === "screen") {
    if ((navigator.hardwareConcurrency ?? 0) >= MANY_CORES) order.unshift("vp9");
    else order.push("vp9");
  }
  const named = (name: string) => codecs.filter((codec) => codec.mimeType.toLowerCase() === `${kind}/${name}` && isCommon(codec));
  const [main] = named(order[0]!);
  if (!main) return;
  const found = order.flatMap(named);
  // For a camera, the browser's own order counts: it knows what the device computes cheaply.
  const chosen = slot === "camera" ? codecs.filter((codec) => found.includes(codec)) : found;
  try {
    section.setCodecPreferences([...chosen, ...named("rtx")]);
  } catch {
    // Then the browser's own order counts.
  }
}
