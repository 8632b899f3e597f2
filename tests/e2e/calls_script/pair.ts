// Two chats in one page, whose media go over a real pair of connections.

import { type Media, open } from "../../../embed/calls/adapter-only.ts";
import type { Sent, Tracks, Wish } from "../../../embed/calls/contract.ts";
import { Devices } from "../../../embed/calls/devices.ts";
import { Own } from "../../../embed/calls/own.ts";
import { Self } from "../../../embed/calls/self.ts";

const LIMIT = { height: 480, frameRate: 30, bitrate: 1_500_000 };
const NOTHING: Tracks = { microphone: false, camera: false, screen: false };

class Side {
  readonly name: string;
  readonly pc = new RTCPeerConnection();
  readonly media: Media;
  readonly streams: Record<string, MediaStream> = {};
  readonly commands: unknown[] = [];
  /** The most sections that any description has had. */
  sections = 0;
  other!: Side;
  wish: Wish = { send: NOTHING, receive: false, camera: LIMIT, screen: LIMIT };
  readonly #isPolite: boolean;
  #isOffering = false;
  #ignores = false;
  #before: Promise<unknown> = Promise.resolve();

  constructor(name: string, isPolite: boolean) {
    this.name = name;
    this.#isPolite = isPolite;
    const host = { command: (command: unknown) => this.commands.push(command), notice: (sentence: string) => this.commands.push(sentence) };
    this.media = open(host, { stream: (_peer, kind, stream) => (this.streams[kind] = stream) });
    this.pc.onicecandidate = ({ candidate }) => this.other.receive({ candidate });
    this.pc.onnegotiationneeded = async () => {
      this.#isOffering = true;
      try {
        await this.pc.setLocalDescription();
        this.say();
      } finally {
        this.#isOffering = false;
      }
    };
  }

  say(): void {
    const description = this.pc.localDescription!;
    this.sections = Math.max(this.sections, description.sdp.match(/^m=/gm)?.length ?? 0);
    this.other.receive({ description: description.toJSON() });
  }

  receive(message: { description?: RTCSessionDescriptionInit; candidate?: RTCIceCandidate | null }): void {
    this.#before = this.#before.then(() => this.#handle(message)).catch((error) => this.commands.push(String(error)));
  }

  async #handle({ description, candidate }: { description?: RTCSessionDescriptionInit; candidate?: RTCIceCandidate | null }): Promise<void> {
    const { pc } = this;
    if (!description) {
      if (!this.#ignores) await pc.addIceCandidate(candidate ?? undefined);
      return;
    }
    const collides = description.type === "offer" && (this.#isOffering || pc.signalingState !== "stable");
    this.#ignores = collides && !this.#isPolite;
    if (this.#ignores) return;
    await pc.setRemoteDescription(description);
    if (description.type !== "offer") return;
    this.media.settle(pc);
    await pc.setLocalDescription();
    this.say();
  }

  /** Changes what is wished, and tells the other side what is sent. */
  want(send: Partial<Tracks>, rest: Partial<Wish> = {}): void {
    this.wish = { ...this.wish, ...rest, send: { ...NOTHING, ...send } };
    this.media.link(1, this.other.name, this.pc, this.wish);
    this.other.media.sends(this.name, this.media.sent());
  }
}

/** How many colours of the picture are others than the first time; -1 while there is no picture. */
function moved(video: HTMLVideoElement): number {
  if (!video.videoWidth) return -1;
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
  const context = canvas.getContext("2d")!;
  context.drawImage(video, 0, 0, 64, 48);
  const { data } = context.getImageData(0, 0, 64, 48);
  const before = pictures.get(video);
  if (!before) pictures.set(video, data);
  return before ? data.filter((value, at) => Math.abs(value - before[at]!) > 16).length : 0;
}
const pictures = new WeakMap<HTMLVideoElement, Uint8ClampedArray>();

/** Plays a stream, and returns the element of its picture. */
function show(stream: MediaStream): HTMLVideoElement {
  // Browsers measure sound that is played, and play pictures without a click if they are silent.
  void Object.assign(new Audio(), { srcObject: stream }).play().catch(() => undefined);
  const video = Object.assign(document.createElement("video"), { srcObject: stream, autoplay: true, playsInline: true, muted: true });
  // Browsers may rest pictures that nobody sees.
  document.body.replaceChildren(video);
  void video.play();
  return video;
}

/** The energy of the sound that came so far, and the number of pictures. */
async function arrived(pc: RTCPeerConnection): Promise<{ energy: number; frames: number; height: number }> {
  const sum = { energy: 0, frames: 0, height: 0 };
  for (const stats of (await pc.getStats()).values()) {
    if (stats.type !== "inbound-rtp") continue;
    sum.energy += stats.totalAudioEnergy ?? 0;
    sum.frames += stats.framesDecoded ?? 0;
    sum.height = Math.max(sum.height, stats.frameHeight ?? 0);
  }
  return sum;
}

/** The program's side of somebody who presses switches, with everything that it was told. */
function person(): { self: Self; own: Own; told: unknown[] } {
  const told: unknown[] = [];
  const own = new Own();
  const self = new Self(own, new Devices(), { command: (command) => told.push(command), notice: (sentence) => told.push(sentence) });
  return { self, own, told };
}

function pair(): { ann: Side; ben: Side } {
  const [ann, ben] = [new Side("ann", false), new Side("ben", true)];
  ann.other = ben;
  ben.other = ann;
  // The program's own channel is there before any media.
  ann.pc.createDataChannel("text");
  return { ann, ben };
}

Object.assign(window, { pair, moved, show, arrived, person, sent: (media: Media): Sent => media.sent() });
