// A connection to nobody, with as much of an `RTCPeerConnection` as the script for calls asks of one.

import type { Sent } from "../calls/contract.ts";
import { picture } from "./pictures.ts";

/** How loud somebody is who speaks, of 1. */
const LEVEL = 0.3;
/** The ways to people, in seconds there and back, and what is lost on them, of 1. The second one is worse than the others. */
const WAYS = [{ roundTrip: 0.034, loss: 0 }, { roundTrip: 0.29, loss: 0.03 }, { roundTrip: 0.061, loss: 0.001 }];

export class Connection extends EventTarget {
  readonly signalingState = "stable";
  readonly #number: number;
  readonly #sections: object[] = [];
  readonly #streams: Partial<Record<"camera" | "screen", MediaStream>> = {};
  #isLoud = false;

  /** Each number has a picture and a way of its own. */
  constructor(number: number) {
    super();
    this.#number = number;
  }

  /** Brings what somebody sends, and returns the ids of its streams. */
  stream(sent: Sent, isLoud: boolean): Sent["streams"] {
    this.#isLoud = isLoud;
    if (sent.camera || sent.microphone) this.#streams.camera ??= this.#arrive(sent.camera ? picture(this.#number, "camera") : new MediaStream(), true);
    if (sent.screen) this.#streams.screen ??= this.#arrive(picture(this.#number, "screen"), false);
    return { camera: this.#streams.camera?.id ?? "", screen: this.#streams.screen?.id ?? "" };
  }

  #arrive(stream: MediaStream, hasVoice: boolean): MediaStream {
    const tracks: unknown[] = stream.getTracks();
    // A voice that makes no sound needs no device, and no leave of the browser to be played.
    if (hasVoice) tracks.push({ kind: "audio" });
    Object.assign(stream, { getTracks: () => tracks });
    for (const track of tracks) {
      const transceiver = { receiver: { track, getStats: async () => this.#heard() }, direction: "recvonly", currentDirection: "recvonly" };
      this.#sections.push(transceiver);
      this.dispatchEvent(Object.assign(new Event("track"), { transceiver, streams: [stream] }));
    }
    return stream;
  }

  #heard(): Map<string, object> {
    const totalSamplesDuration = performance.now() / 1_000;
    const totalAudioEnergy = this.#isLoud ? LEVEL ** 2 * totalSamplesDuration : 0;
    return new Map([["voice", { type: "inbound-rtp", totalAudioEnergy, totalSamplesDuration }]]);
  }

  getTransceivers(): object[] {
    return this.#sections;
  }

  async getStats(): Promise<Map<string, object>> {
    const now = performance.now();
    const { roundTrip, loss } = WAYS[this.#number % WAYS.length]!;
    const stats = [
      { id: "pair", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: roundTrip, localCandidateId: "local", remoteCandidateId: "remote" },
      { id: "voice", type: "inbound-rtp", kind: "audio", packetsReceived: now / 20, packetsLost: (now / 20) * loss, bytesReceived: now * 4, jitter: roundTrip / 10 },
      { id: "picture", type: "inbound-rtp", kind: "video", packetsReceived: now / 10, packetsLost: (now / 10) * loss, bytesReceived: now * 120, frameWidth: 640, frameHeight: 360 },
      { id: "sent", type: "outbound-rtp", bytesSent: now * 150 },
      { id: "local", candidateType: "host" },
      { id: "remote", candidateType: "host" },
    ];
    return new Map(stats.map((one) => [one.id, one]));
  }
}
