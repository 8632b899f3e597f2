// Loads the program behind the module, which is in the same folder.
import init, { Engine, provideStore, whenBroken } from "../engine/engine.js";
import type { AttachedFile, CallOutcome, ErrorCode, GoneReason, Message, PeerState, Presence, Status, Trust } from "../mqtt-rtc.js";
import { asError } from "./errors.js";

export type { Engine };

/** A file as the engine describes it. */
export type EngineFile = Omit<AttachedFile, "saidType">;

/** A decision about the key of a peer, as the engine takes it. */
export type TrustDecision = "block" | "verify" | "accept-key";

/** The events of the engine, as src/api/events.rs emits them, and `broke`: the program has stopped, and nothing may call it. */
export type EngineEvent =
  | [kind: "opened", room: { id: string; user: string; room: string; fingerprint: string }]
  | [kind: "failed" | "broke" | "notice" | "refused", sentence: string]
  | [kind: "outdated"]
  | [kind: "status", status: Status]
  | [kind: "peer" | "request", view: PeerView]
  | [kind: "withdrawn", peer: string]
  | [kind: "typing", peer: string]
  | [kind: "unreadable", peer: string, count: number]
  | [kind: "gone", peer: string, reason: GoneReason]
  | [kind: "validationfailure", peer: PeerView, sentence: string]
  | [kind: "message" | "messagechange", message: Omit<Message, "at" | "file"> & { at: number; file: EngineFile | undefined }, peer: string | undefined]
  | [kind: "attachment", hash: string, size: number, here: boolean, bytes: number, why: string | undefined]
  | [kind: "delivery", id: string, sent: number, delivered: number, of: number]
  | [kind: "unsaid", id: string, sentence: string]
  | [kind: "sent", first: number, last: number]
  | [kind: "sendfailed", token: number, code: ErrorCode, sentence: string]
  | [kind: "value", peer: string, isDm: boolean, json: string | undefined, kind?: string, bytes?: Uint8Array<ArrayBuffer>]
  | [kind: "question", peer: string, question: string, topic: string | undefined, json: string]
  | [kind: "answered", token: number, code: ErrorCode | undefined, text: string]
  | [kind: "file", peer: string, file: number, name: string, size: number, type: string]
  | [kind: "fileprogress", isOwn: boolean, file: number, bytes: number]
  | [kind: "filedone", isOwn: boolean, file: number]
  | [kind: "filefailed", isOwn: boolean, file: number, code: ErrorCode, sentence: string]
  | [kind: "calls", view: string]
  | [kind: "called", conversation: string, outcome: CallOutcome]
  | [kind: "pong", token: number, millis: number];

/** A peer, as the engine describes it. */
export interface PeerView {
  id: string;
  user: string;
  name: string;
  key: string;
  fingerprint: string;
  state: Exclude<PeerState, "gone">;
  trust: Trust;
  info: string | undefined;
  presence: Presence | undefined;
  muted: boolean;
}

// Bundlers recognise this expression, and include the file.
const PROGRAM = new URL("mqtt-rtc.wasm", import.meta.url);
// Nobody may fetch an address with a password in it.
PROGRAM.username = PROGRAM.password = "";
/** The settings file, which not every site has. */
const SETTINGS = "rtchat.json";

/** Why the program cannot run here. Clients report it, because importing a module should not throw. */
export let failure: Error | undefined;

try {
  await init({ module_or_path: PROGRAM });
  provideStore(() => import("../store/store.ts"));
} catch (thrown) {
  failure = new Error(`This browser cannot run the program behind the module: ${asError(thrown).message}`);
}

type EngineListener = (...event: EngineEvent) => void;

/** The listeners of all engines, which keep them alive. One program runs all of them, and ends all of them if it breaks. */
let listeners: WeakRef<EngineListener>[] = [];

whenBroken((error) => {
  failure = new Error(`The program behind the module has stopped working. Please reload the page. (${asError(error).message})`);
  for (const listener of listeners) listener.deref()?.("broke", failure.message);
});

/** @throws An error with the code `option`. */
export function makeEngine(options: string, listener: EngineListener): Engine {
  const engine = new Engine(options, new URL(SETTINGS, import.meta.url).href, listener);
  listeners = listeners.filter((known) => known.deref());
  listeners.push(new WeakRef(listener));
  return engine;
}
