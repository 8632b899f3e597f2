// Loads the program behind the module, from beside the module.
import init, { Engine } from "../engine/engine.js";
import type { ErrorCode, GoneReason, PeerState, Status, Trust } from "../mqtt-rtc.js";
import { asError } from "./errors.js";

export type { Engine };

/** What the engine tells. src/api/tell.rs is where it is written. */
export type Told =
  | [kind: "opened", room: { id: string; user: string; room: string; fingerprint: string }]
  | [kind: "failed" | "broke" | "notice" | "refused", sentence: string]
  | [kind: "outdated"]
  | [kind: "status", status: Status]
  | [kind: "peer" | "request", view: View]
  | [kind: "withdrawn", peer: string]
  | [kind: "typing", peer: string]
  | [kind: "gone", peer: string, reason: GoneReason]
  | [kind: "unproven", peer: string, user: string, sentence: string]
  | [kind: "chat", peer: string, text: string, isPrivate: boolean]
  | [kind: "taken", first: number, last: number]
  | [kind: "nottaken", token: number, code: ErrorCode, sentence: string]
  | [kind: "value", peer: string, isDm: boolean, json: string | undefined, kind?: string, bytes?: Uint8Array<ArrayBuffer>]
  | [kind: "question", peer: string, question: string, topic: string | undefined, json: string]
  | [kind: "answered", token: number, code: ErrorCode | undefined, text: string]
  | [kind: "file", peer: string, file: number, name: string, size: number, type: string]
  | [kind: "fileprogress", isOurs: boolean, file: number, bytes: number]
  | [kind: "filedone", isOurs: boolean, file: number]
  | [kind: "filefailed", isOurs: boolean, file: number, code: ErrorCode, sentence: string]
  | [kind: "pong", token: number, millis: number];

/** A peer, as the engine tells of it. */
export interface View {
  id: string;
  user: string;
  key: string;
  fingerprint: string;
  state: Exclude<PeerState, "gone">;
  trust: Trust;
  info: string | undefined;
}

// Bundlers look for these very words, and take the file along.
const PROGRAM = new URL("mqtt-rtc.wasm", import.meta.url);
/** It is not there on every site. */
const SETTINGS = "rtchat.json";

/** Why the program cannot run here. It is told by whoever wants to use it: importing a module should not throw. */
export let failure: Error | undefined;

try {
  await init({ module_or_path: PROGRAM });
} catch (thrown) {
  failure = new Error(`This browser cannot run the program behind the module: ${asError(thrown).message}`);
}

/** The program broke, and with it all that uses it. */
export function broke(why: string): string {
  failure = new Error(`The program behind the module has stopped working. Please reload the page. (${why})`);
  return failure.message;
}

/** @throws An error with the code `option`. */
export function makeEngine(options: string, listener: (...told: Told) => void): Engine {
  return new Engine(options, new URL(SETTINGS, import.meta.url).href, listener);
}
