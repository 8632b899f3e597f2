// Two chats in one page, whose media go over a real pair of connections.

import { type Media, open } from "../../../embed/calls/plain.ts";
import { Connections } from "../../../embed/calls/adapter.ts";
import type { Adapter, Command, Host, Observer, Sent, Tracks, Wish } from "../../../embed/calls/contract.ts";
import { Devices } from "../../../embed/calls/devices.ts";
import { Own } from "../../../embed/calls/own.ts";
import { Self } from "../../../embed/calls/self.ts";

const LIMIT = { height: 480, frameRate: 30, bitrate: 1_500_000 };
const NOTHING: Tracks = { microphone: false, camera: false, screen: false };

class Side {
  readonly name: string;
  readonly pc = new RTCPeerConnection();
  declare readonly adapter: Adapter;
  declare readonly sent: () => Sent;
  readonly streams: Record<string, MediaStream> = {};
  /** Commands, and sentences for people. */
  readonly told: unknown[] = [];
  /** The most sections that any description has had. */
  sections = 0;
  other!: Side;
  wish: Wish = { send: NOTHING, receive: false, pictures: true, camera: LIMIT, screen: LIMIT };
  readonly #isPolite: boolean;
  #isOffering = false;
  #ignores = false;
  #before: Promise<unknown> = Promise.resolve();

  constructor(name: string, isPolite: boolean, begin: (side: Side, host: Host, observer: Observer) => { adapter: Adapter; sent: () => Sent }) {
    this.name = name;
    this.#isPolite = isPolite;
    const command = (command: Command) => {
      this.told.push(command);
      if (command.do === "send") this.want(command.sends);
    };
    const host = { command, notice: (sentence: string) => void this.told.push(sentence) };
    const observer: Observer = { stream: (_peer, kind, stream) => (this.streams[kind] = stream) };
    Object.assign(this, begin(this, host, observer));
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
    this.#before = this.#before.then(() => this.#handle(message)).catch((error) => this.told.push(String(error)));
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
    this.adapter.settle(pc);
    await pc.setLocalDescription();
    this.say();
  }

  /** Changes what is wished, and tells the other side what is sent. */
  want(send: Partial<Tracks>, rest: Partial<Wish> = {}): void {
    const { microphone, camera, screen } = { ...NOTHING, ...send };
    this.wish = { ...this.wish, ...rest, send: { microphone, camera, screen } };
    this.adapter.link(1, this.other.name, this.pc, this.wish);
    this.other.adapter.sends(this.name, this.sent());
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

/** Two sides of programs that bring their own streams. */
function programs(): { ann: Side; ben: Side } {
  return pair((side, host, observer) => {
    const media: Media = open(host, observer);
    Object.assign(side, { media });
    return { adapter: media, sent: media.sent };
  });
}

/** Two sides of people who press switches. */
function people(): { ann: Side; ben: Side } {
  return pair((side, host, observer) => {
    const own = new Own();
    const devices = new Devices();
    const self = new Self(own, devices, host);
    Object.assign(side, { own, devices, self });
    const { camera, screen } = own.streams;
    return { adapter: new Connections(own, observer), sent: () => ({ ...self.on, hand: self.hand, streams: { camera: camera.id, screen: screen.id } }) };
  });
}

function pair(begin: ConstructorParameters<typeof Side>[2]): { ann: Side; ben: Side } {
  const [ann, ben] = [new Side("ann", false, begin), new Side("ben", true, begin)];
  ann.other = ben;
  ben.other = ann;
  // The program's own channel is there before any media.
  ann.pc.createDataChannel("text");
  for (const side of [ann, ben]) side.want({});
  return Object.assign(window, { ann, ben });
}

/** A picture that moves, in place of a screen. */
function moving(): MediaStream {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const context = canvas.getContext("2d")!;
  setInterval(() => {
    context.fillStyle = `hsl(${(performance.now() / 5) % 360} 80% 50%)`;
    context.fillRect(0, 0, 640, 360);
  }, 50);
  return canvas.captureStream(20);
}

const { getUserMedia, getDisplayMedia } = MediaDevices.prototype;

/** Lends a camera or a screen once, and returns what pulls it out: browsers end what a closed connection had received. */
function lend(): () => void {
  const pc = new RTCPeerConnection();
  const { track } = pc.addTransceiver("video").receiver;
  const lent = async () => {
    keep();
    return new MediaStream([track]);
  };
  const keep = () => Object.assign(navigator.mediaDevices, { getUserMedia, getDisplayMedia });
  Object.assign(navigator.mediaDevices, { getUserMedia: lent, getDisplayMedia: lent });
  return () => pc.close();
}

/** From now on, there is no device. */
function unplug(): void {
  navigator.mediaDevices.getUserMedia = async () => Promise.reject(new DOMException("", "NotFoundError"));
}

Object.assign(window, { lend, unplug, programs, people, moved, show, arrived, moving });
