// Moves what is kept of a room from one store to another.

import type { Bytes } from "./keys.ts";
import { type Item, MAX_PAGE, type Mode, Store } from "./records.ts";

/** A store in which something of a room may be that is to be kept elsewhere now. */
export interface Former {
  mode: Mode;
  /** The store. Without one, it is opened. */
  store?: Store;
}

/**
 * Copies what a store has of a room to another one, or its files into memory if there is no other one. What is there already
 * stays.
 */
export async function copy(room: Bytes, states: string[], from: Store, to: Store | undefined, hold: (key: Bytes, blob: Blob) => void): Promise<void> {
  for (const file of await from.files(room)) {
    // A file that cannot be read is left behind.
    const bytes = await from.getFile(room, file[0]).catch(() => undefined);
    if (!bytes) continue;
    if (to) await to.putFile(room, file, bytes);
    else hold(file[0], new Blob([bytes]));
  }
  if (!to) return;
  for (const name of states) {
    const value = await from.getState(room, name);
    if (value && !(await to.getState(room, name))) await to.putState(room, name, value);
  }
  for (const conversation of await from.conversations(room)) {
    for (let key: Bytes | undefined, isFirst = true; isFirst || key; isFirst = false) {
      const { records, next }: { records: Item[]; next: Bytes | undefined } = await from.newest(room, conversation, key, MAX_PAGE);
      await to.put(room, records, false);
      key = next;
    }
  }
}
