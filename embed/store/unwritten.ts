// What is not written yet when the page goes away. Nothing but `sessionStorage` can be written in time then, and the page that
// is loaded next in this tab writes the rest.

import type { Bytes } from "./keys.ts";
import type { Mode } from "./records.ts";

/** The prefix of the keys in `sessionStorage`, before the room's id. */
const UNWRITTEN = "rtchat/1/unwritten/";
/** At most this many characters are stored, of the newest commands. Browsers allow about five million to a whole site. */
const MOST = 1_000_000;

/** Something that is to be written. */
export type Command =
  | [kind: "put" | "add", key: Bytes, value: Bytes]
  | [kind: "delete" | "deleteConversation", key: Bytes]
  | [kind: "deleteRoom" | "deleteAll"]
  | [kind: "putState", name: string, value: Bytes];

/** The number of values that follow each kind. */
const VALUES: Record<Command[0], number> = { put: 2, add: 2, delete: 1, deleteConversation: 1, deleteRoom: 0, deleteAll: 0, putState: 2 };

/** What a page leaves to the next one. */
export interface Unwritten {
  commands: Command[];
  /** The modes whose stores may still have something of the room. It is to be moved. */
  former: Mode[];
}

/** Notes what is not written, besides what was noted for this room already: a page may have it open twice. */
export function note(room: Bytes, { commands, former }: Unwritten): void {
  if (commands.length === 0 && former.length === 0) return;
  const noted = take(room);
  const lines: string[] = [];
  let size = 0;
  for (const command of [...noted.commands, ...commands].reverse()) {
    const line = command.map((part) => (typeof part === "string" ? part : encoded(part))).join();
    size += line.length + 1;
    if (size > MOST) break;
    lines.push(line);
  }
  try {
    sessionStorage.setItem(UNWRITTEN + encoded(room), [[...noted.former, ...former].join(), ...lines.reverse()].join("\n"));
  } catch {
    // Where nothing can be stored, it is lost.
  }
}

/** Takes what the page before this one has noted. Other scripts of the site can write there, so it may be anything. */
export function take(room: Bytes): Unwritten {
  const taken: Unwritten = { commands: [], former: [] };
  try {
    const name = UNWRITTEN + encoded(room);
    const [former, ...lines] = sessionStorage.getItem(name)?.split("\n") ?? [];
    sessionStorage.removeItem(name);
    taken.former = (["session", "kept"] as const).filter((mode) => former?.split(",").includes(mode));
    taken.commands = lines.flatMap(read);
  } catch {
    // There is nothing that can be read.
  }
  return taken;
}

/** Reads a command: its kind and its values, of which only names are no bytes. */
function read(line: string): [Command] | [] {
  const [kind = "", ...values] = line.split(",");
  if (!Object.hasOwn(VALUES, kind) || values.length !== VALUES[kind as Command[0]]) return [];
  return [[kind, ...values.map((value, at) => (kind === "putState" && at === 0 ? value : decoded(value)))] as Command];
}

const encoded = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

const decoded = (text: string): Bytes => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
