// Keys, and ranges of them.
//
// key of a record  = room id 32 ‖ conversation 16 ‖ clock 8, big-endian ‖ id 32
// key of a value   = room id 32 ‖ name
// key of a file    = room id 32 ‖ hash 32 ‖ size 8, big-endian
//
// Databases compare binary keys byte by byte. So a room is a range of keys, a conversation is a range within it, and the
// records of a conversation lie in their order.

export type Bytes = Uint8Array<ArrayBuffer>;

/** The length of a room's id, and those of the keys of a conversation and of a record. */
export const ROOM = 32;
export const CONVERSATION = 48;
export const RECORD = 88;

export interface Range {
  /** The first key, or what comes before it. */
  lower: Bytes;
  /** Whether that does not belong to the range. */
  isOpen: boolean;
  /** The key after the last one; without one, the range has no end. */
  end: Bytes | undefined;
}

export function joined(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The smallest key that is greater than all keys with this prefix. There is none if all of its bytes are 255. */
export function afterPrefix(prefix: Bytes): Bytes | undefined {
  let length = prefix.length;
  while (prefix[length - 1] === 255) length -= 1;
  if (length === 0) return undefined;
  const after = prefix.slice(0, length);
  after[length - 1]! += 1;
  return after;
}

/** All keys that begin with these bytes. */
export const withPrefix = (prefix: Bytes): Range => ({ lower: prefix, isOpen: false, end: afterPrefix(prefix) });

/** This key alone: none lies between one and the same with a zero appended. */
export const only = (key: Bytes): Range => ({ lower: key, isOpen: false, end: joined(key, new Uint8Array(1)) });

/** The part of the range that lies after this key. */
export const after = (range: Range, key: Bytes): Range => ({ ...range, lower: key, isOpen: true });

/** The part of the range that lies before this key. */
export const before = (range: Range, key: Bytes): Range => ({ ...range, end: key });
