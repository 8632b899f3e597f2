// What tabs that use the same store tell each other: what was written, not its content.
//
// kind 1 ‖ room id 32 ‖ the rest
// 1, 2: put, deleted               conversation 16 ‖ (clock 8, big-endian ‖ id 32)*
// 3: conversation deleted          conversation 16
// 4: room deleted                  nothing
// 6: state value                   its name

import { type Bytes, joined, ROOM } from "./keys.ts";

const CONVERSATION = 16;
const POSITION = 40;
const KINDS = ["put", "deleted", "conversation", "room", undefined, "state"] as const;

/** Something that another tab has written or deleted. */
export type Change = { room: Bytes } & (
  | {
      kind: "put" | "deleted";
      /** The keys of the records, without the room. */
      keys: Bytes[];
    }
  | { kind: "conversation"; conversation: Bytes }
  | { kind: "room" }
  | { kind: "state"; name: string }
);

/** The messages that tell of this change. One of records concerns a single conversation. */
export function* written(change: Change): Generator<Bytes> {
  const message = (...rest: Bytes[]) => joined(new Uint8Array([KINDS.indexOf(change.kind) + 1]), change.room, ...rest);
  if (change.kind === "room") {
    yield message();
  } else if (change.kind === "conversation") {
    yield message(change.conversation);
  } else if (change.kind === "state") {
    yield message(new TextEncoder().encode(change.name));
  } else {
    const conversations = new Map<string, Bytes[]>();
    for (const key of change.keys) {
      const conversation = key.slice(0, CONVERSATION);
      const parts = conversations.get(String(conversation)) ?? [conversation];
      conversations.set(String(conversation), parts);
      parts.push(key.slice(CONVERSATION));
    }
    for (const parts of conversations.values()) yield message(...parts);
  }
}

/** Reads such a message. It may be anything: all pages of the origin can send to the same channel. */
export function read(message: unknown): Change | undefined {
  if (!(message instanceof Uint8Array) || message.length < 1 + ROOM) return undefined;
  const [room, rest] = [message.slice(1, 1 + ROOM), message.slice(1 + ROOM)];
  const kind = KINDS[message[0]! - 1];
  if (kind === "put" || kind === "deleted") {
    const conversation = rest.slice(0, CONVERSATION);
    const count = (rest.length - CONVERSATION) / POSITION;
    if (!Number.isInteger(count) || count < 0) return undefined;
    const positions = Array.from({ length: count }, (_, at) => rest.slice(CONVERSATION + at * POSITION).slice(0, POSITION));
    return { kind, room, keys: positions.map((position) => joined(conversation, position)) };
  }
  if (kind === "conversation") return rest.length === CONVERSATION ? { kind, room, conversation: rest } : undefined;
  if (kind === "room") return rest.length === 0 ? { kind, room } : undefined;
  if (kind !== "state") return undefined;
  try {
    return { kind, room, name: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(rest) };
  } catch {
    return undefined;
  }
}
