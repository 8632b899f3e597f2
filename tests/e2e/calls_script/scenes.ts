// Made-up calls in a page, to look at every view without a network: `scene(name)`.

import { open } from "../../../embed/calls/calls.ts";
import type { Calls, Command, Person, Sent, View } from "../../../embed/calls/contract.ts";

const NAMES = [
  "ben", "Clara Oswald", "דנה כהן", "A name that somebody chose to be much longer than any tile is wide", "محمد", "dora (2)", "李小龍", "eve", "frank", "gus",
];
const TRUST: Person["trust"][] = ["verified", "known", "new", "verified", "warning", "own"];

const LIMIT = { height: 720, frameRate: 30, bitrate: 1_500_000 };
const SENDS = { microphone: true, camera: true, screen: false };

/** A connection over which these streams have come. */
class Connection extends EventTarget {
  readonly signalingState = "stable";
  readonly #sections: { receiver: object; direction: string; currentDirection: string }[] = [];

  arrive(stream: MediaStream, level: () => number): void {
    for (const track of stream.getTracks()) {
      const receiver = { track, getSynchronizationSources: () => [{ audioLevel: level(), timestamp: performance.timeOrigin + performance.now() }] };
      const transceiver = { receiver, direction: "recvonly", currentDirection: "recvonly" };
      this.#sections.push(transceiver);
      this.dispatchEvent(Object.assign(new Event("track"), { transceiver, streams: [stream] }));
    }
  }

  getTransceivers() {
    return this.#sections;
  }

  async getStats() {
    const pair = { id: "p", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 0.034, localCandidateId: "l", remoteCandidateId: "r" };
    const inbound = { id: "i", type: "inbound-rtp", kind: "audio", packetsReceived: performance.now() / 20, packetsLost: 0, bytesReceived: performance.now() * 90, jitter: 0.004 };
    const outbound = { id: "o", type: "outbound-rtp", bytesSent: performance.now() * 120 };
    return new Map<string, object>([["p", pair], ["i", inbound], ["o", outbound], ["l", { id: "l", candidateType: "host" }]]);
  }

  addTransceiver(track: MediaStreamTrack) {
    return { receiver: { track }, sender: { track, replaceTrack: async () => undefined, getParameters: () => ({ encodings: [] }) }, direction: "sendonly", setCodecPreferences: () => undefined };
  }
}

/** A moving picture of a person, or of a page. */
function picture(hue: number, kind: "camera" | "screen"): MediaStream {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const context = canvas.getContext("2d")!;
  const draw = () => {
    context.fillStyle = kind === "screen" ? "#f8f8f6" : `hsl(${hue} 25% 68%)`;
    context.fillRect(0, 0, 640, 360);
    if (kind === "screen") {
      context.fillStyle = "#444";
      for (let line = 0; line < 12; line++) context.fillRect(60, 40 + line * 24, 260 + ((line * 97) % 240), 8);
      return;
    }
    const sway = Math.sin(performance.now() / 700 + hue) * 8;
    context.fillStyle = `hsl(${hue} 30% 40%)`;
    context.beginPath();
    context.ellipse(320 + sway, 380, 150, 150, 0, 0, 7);
    context.fill();
    context.fillStyle = `hsl(${hue % 60} 40% 72%)`;
    context.beginPath();
    context.ellipse(320 + sway, 170, 70, 88, 0, 0, 7);
    context.fill();
  };
  draw();
  setInterval(draw, 100);
  return canvas.captureStream(10);
}

function people(count: number): Record<string, Person> {
  const all: Record<string, Person> = { me: { user: "ann", hue: 170, letter: "an", trust: "own", safety: "" } };
  for (let index = 0; index < count; index++) {
    const user = NAMES[index % NAMES.length]!;
    all[`p${index}`] = { user, hue: (index * 67) % 360, letter: [...user].slice(0, 2).join(""), trust: TRUST[index % TRUST.length]!, safety: "12345 67890" };
  }
  return all;
}

const empty = (): View => ({ own: "me", people: people(10), allowed: "video", call: undefined, rings: [], running: [], shares: [], share: undefined });

const commands: Command[] = [];
let calls: Calls;
let connection = 0;

function arrive(peer: string, index: number, kinds: ("camera" | "screen")[], sends: Partial<Sent> = {}): Sent {
  const pc = new Connection();
  calls.link(++connection, peer, pc as unknown as RTCPeerConnection, { send: SENDS, receive: true, pictures: true, camera: LIMIT, screen: LIMIT });
  const streams = { camera: "", screen: "" };
  for (const kind of kinds) {
    const stream = picture(index * 67, kind);
    if (kind === "camera") {
      const sound = new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]!;
      stream.addTrack(sound);
    }
    streams[kind] = stream.id;
    pc.arrive(stream, () => (index === 1 ? 0.3 : 0));
  }
  return { microphone: index % 3 !== 2, camera: kinds.includes("camera"), screen: kinds.includes("screen"), hand: index === 2, streams, ...sends };
}

function call(count: number, part: { pictures?: boolean; screen?: boolean; state?: "ringing" | "connected" | "reconnecting" } = {}): View {
  const view = empty();
  const { pictures = true, screen = false, state = "connected" } = part;
  const peers = Array.from({ length: count }, (_, index) => {
    const kinds: ("camera" | "screen")[] = pictures && index !== 3 ? ["camera"] : [];
    if (screen && index === 0) kinds.push("screen");
    return { peer: `p${index}`, state: index === 4 ? ("reconnecting" as const) : ("connected" as const), sends: arrive(`p${index}`, index, kinds) };
  });
  view.call = { id: "c", conversation: "#lobby", title: "lobby", direct: count === 1, state, since: state === "ringing" ? undefined : Date.now() - 754_000, peers, crowded: false };
  return view;
}

/** Starts a call as a person does, so that the devices are open. */
async function started(video: boolean, view: () => View): Promise<View> {
  calls.show(empty());
  calls.begin({ conversation: "#lobby", title: "lobby", video });
  await pressed("media-go");
  return view();
}

/** Waits until a button can be pressed, and presses it. */
async function pressed(testId: string): Promise<void> {
  for (;;) {
    const button = document.querySelector<HTMLButtonElement>(`[data-testid="${testId}"]`);
    if (button && !button.disabled && !button.closest("[hidden]")) return button.click();
    await new Promise((done) => setTimeout(done, 20));
  }
}

const ring = (title: string, peer = "p1", silent = true) => ({ call: `r${peer}`, conversation: "@x", title, from: peer, video: true, silent });

/** A call of sound alone with somebody whose camera is watched. */
async function watchedInCall(sensitive: boolean): Promise<View> {
  const view = await started(false, () => call(2, { pictures: false }));
  return { ...view, shares: [{ peer: "p0", sends: arrive("p0", 0, ["camera"]), sensitive, asks: false, inReturn: false, state: "watching" }] };
}

const SCENES: Record<string, () => View | Promise<View>> = {
  ringing: () => started(false, () => call(0, { state: "ringing" })),
  alone: () => started(true, () => call(0, { state: "ringing" })),
  audio: () => started(false, () => call(2, { pictures: false })),
  one: () => started(true, () => call(1)),
  two: () => started(true, () => call(2)),
  four: () => started(true, () => call(4)),
  eight: () => started(true, () => call(8)),
  screen: () => started(true, () => call(4, { screen: true })),
  reconnecting: () => started(true, () => call(1, { state: "reconnecting" })),
  ring: () => ({ ...empty(), rings: [ring("lobby")] }),
  rings: () => ({ ...empty(), rings: [ring("Clara Oswald"), ring("A channel with quite a long name, too", "p3"), ring("חדר", "p2")] }),
  "ring-in-call": async () => ({ ...(await started(true, () => call(2))), rings: [ring("Clara Oswald")] }),
  running: () => ({ ...empty(), running: [{ call: "x", conversation: "#lobby", title: "lobby", peers: ["p0", "p1", "p2"] }] }),
  watched: () => ({ ...empty(), shares: [
    { peer: "p0", sends: arrive("p0", 0, ["camera"]), sensitive: false, asks: false, inReturn: false, state: "watching" as const },
    { peer: "p1", sends: arrive("p1", 1, ["camera"]), sensitive: true, asks: false, inReturn: false, state: "watching" as const },
    { peer: "p2", sends: arrive("p2", 2, []), sensitive: false, asks: true, inReturn: false, state: "asking" as const },
  ] }),
  "watched-in-call": () => watchedInCall(false),
  "sensitive-in-call": () => watchedInCall(true),
  shared: async () => {
    calls.show(empty());
    calls.share();
    await pressed("media-go");
    const sends = { microphone: true, camera: true, screen: false, hand: false, streams: { camera: "", screen: "" } };
    for (const peer of ["p0", "p3"]) arrive(peer, 0, []);
    const view = { ...empty(), share: { sends, sensitive: false, asks: true, inReturn: false, watchers: ["p0", "p3"], asking: ["p2"] } };
    calls.show(view);
    document.querySelector<HTMLElement>("[data-testid=watchers]")!.click();
    return view;
  },
  preview: () => {
    calls.show(empty());
    calls.begin({ conversation: "#lobby", title: "lobby", video: true });
    return empty();
  },
  "preview-share": () => {
    calls.show(empty());
    calls.share();
    return empty();
  },
  "preview-none": () => {
    navigator.mediaDevices.getUserMedia = async () => Promise.reject(new DOMException("Requested device not found", "NotFoundError"));
    calls.show(empty());
    calls.begin({ conversation: "@ben", title: "ben", video: true });
    return empty();
  },
};

/** Shows a scene, with these presses after it. */
async function scene(name: string, ...presses: string[]): Promise<View> {
  calls = open({ command: (command) => commands.push(command), notice: (sentence) => commands.push(sentence as unknown as Command) });
  calls.mount(document.querySelector<HTMLElement>("#calls")!);
  const view = await SCENES[name]!();
  calls.show(view);
  for (const press of presses) await pressed(press);
  Object.assign(window, { calls, view });
  return view;
}

Object.assign(window, { scene, commands, scenes: Object.keys(SCENES) });
