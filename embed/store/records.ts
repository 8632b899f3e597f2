// What this browser keeps of what was said. There is one database for all pages of an origin, like the profile, or one for a
// tab. Rooms of different pages have different ids, so they do not meet in it.
//
// value of a record = author 33 ‖ bytes
// value of a head   = author 33 ‖ number of bytes 4, big-endian

import { type Change, read, written } from "./changes.ts";
import { type Entry, FILE_HEADS, FILES, HEADS, RECORDS, STATES, type Step, type StoreName } from "./connection.ts";
import { Database } from "./database.ts";
import { problem } from "./errors.ts";
import { after, afterPrefix, before, type Bytes, CONVERSATION, joined, only, type Range, RECORD, ROOM, withPrefix } from "./keys.ts";
import { enter, leave, sweep } from "./session.ts";

/** The name of the database that is kept. */
const KEPT = "rtchat/1/history";
/** The length of an author's key. */
const AUTHOR = 33;
/** A page of records has at most this many, so that reading it makes nobody wait. */
export const MAX_PAGE = 256;
/** The number of entries of files that are read at once. */
const FILES_AT_ONCE = 500;

/** How long what is said is kept. */
export type Mode = "off" | "session" | "kept";

/** A key without the room, and a value. */
export type Item = [key: Bytes, value: Bytes];

/** Some of the records of a conversation, and the key of the last of them, behind which the next page begins. */
export interface Page {
  records: Item[];
  next: Bytes | undefined;
}

/** What is kept. The browser may close or delete the database at any time; the next call opens it again. Calls may overlap. */
export class Store {
  /** Is called when another tab, or another store of this page, has written or deleted something. */
  onChange: (change: Change) => void = () => undefined;
  private readonly database: Database;
  /** The channel to the other tabs. Where the browser has none, nobody is told anything. */
  private readonly channel: BroadcastChannel | undefined;

  private constructor(
    name: string,
    private readonly isSession: boolean,
  ) {
    this.database = new Database(name);
    try {
      this.channel = new BroadcastChannel(name);
      this.channel.onmessage = ({ data }) => {
        const change = read(data);
        if (change) this.onChange(change);
      };
    } catch {
      // The browser has none.
    }
  }

  /**
   * Opens the store. It also deletes, a while later, what tabs that are gone have left behind.
   *
   * @throws {StoreError} If the browser does not allow it, has no space left, cannot read what is there, or does not answer.
   */
  static async open(mode: "session" | "kept"): Promise<Store> {
    void sweep();
    const isSession = mode === "session";
    let store: Store | undefined;
    try {
      store = new Store(isSession ? await enter() : KEPT, isSession);
      await store.database.with(async () => undefined);
      return store;
    } catch (thrown) {
      if (store) store.close();
      else if (isSession) leave();
      throw problem(thrown);
    }
  }

  /** Ends the use of the store. What was begun is completed. */
  close(): void {
    this.database.close();
    this.channel?.close();
    if (this.isSession) leave();
  }

  /**
   * Stores all of these records, or none of them. One whose key is there already takes its place, or is skipped. What was
   * put is stored when the promise is fulfilled, also if the page is closed at that moment.
   */
  async put(room: Bytes, records: Item[], replaces: boolean): Promise<void> {
    const steps = records.flatMap(([rest, value]): Step[] => {
      const key = joined(room, rest);
      const size = new Uint8Array(4);
      new DataView(size.buffer).setUint32(0, value.length - AUTHOR);
      const head = joined(value.subarray(0, AUTHOR), size);
      return [
        { store: HEADS, key, value: head, replaces },
        { store: RECORDS, key, value, replaces },
      ];
    });
    await this.write(steps, { kind: "put", room, keys: records.map(([key]) => key) });
  }

  /** Deletes the records with these keys, as far as they are there. */
  async delete(room: Bytes, keys: Bytes[]): Promise<void> {
    const steps = keys.flatMap((key) => deletions(only(joined(room, key)), HEADS, RECORDS));
    await this.write(steps, { kind: "deleted", room, keys });
  }

  /** Returns the record with this key, if there is one that can be read. */
  async get(room: Bytes, key: Bytes): Promise<Item | undefined> {
    const value = await this.valueOf(RECORDS, joined(room, key));
    return value && value.length >= AUTHOR ? [key, value] : undefined;
  }

  /** Returns the newest records of a conversation, or the newest ones before a key: at most `limit` and `MAX_PAGE`, the newest first. */
  async newest(room: Bytes, conversation: Bytes, key: Bytes | undefined, limit: number): Promise<Page> {
    const most = Math.min(limit, MAX_PAGE);
    const all = withPrefix(joined(room, conversation));
    let range = key ? before(all, joined(room, key)) : all;
    const page: Page = { records: [], next: undefined };
    for (;;) {
      const entries = (await this.read(RECORDS, range, most, "end")).reverse();
      for (const { key, value } of entries) {
        // Damaged entries count as missing.
        if (key.length !== RECORD) continue;
        page.next = key.slice(ROOM);
        if (value && value.length >= AUTHOR) page.records.push([page.next, value]);
      }
      const last = entries.at(-1);
      if (!last || entries.length < most) return { ...page, next: undefined };
      if (page.next) return page;
      // Nothing that can be named as the end of the page: it goes on.
      range = before(range, last.key);
    }
  }

  /** Returns the conversations of a room that have records. */
  async conversations(room: Bytes): Promise<Bytes[]> {
    const conversations: Bytes[] = [];
    let range = withPrefix(room);
    // Each is looked up, so that the other keys need not be read.
    for (;;) {
      const key = await this.database.with((connection) => connection.firstKey(HEADS, range));
      if (!key) return conversations;
      // A shorter one is damaged.
      if (key.length < CONVERSATION) {
        range = after(range, key);
        continue;
      }
      conversations.push(key.slice(ROOM, CONVERSATION));
      const lower = afterPrefix(key.slice(0, CONVERSATION));
      if (!lower) return conversations;
      range = { ...range, lower, isOpen: false };
    }
  }

  /** Returns a small value of a room, if there is one of this name. */
  getState(room: Bytes, name: string): Promise<Bytes | undefined> {
    return this.valueOf(STATES, stateKey(room, name));
  }

  /** Stores a small value of a room under this name. */
  async putState(room: Bytes, name: string, value: Bytes): Promise<void> {
    await this.write([{ store: STATES, key: stateKey(room, name), value, replaces: true }], { kind: "state", room, name });
  }

  /** Deletes all records of a conversation. */
  async deleteConversation(room: Bytes, conversation: Bytes): Promise<void> {
    const steps = deletions(withPrefix(joined(room, conversation)), HEADS, RECORDS);
    await this.write(steps, { kind: "conversation", room, conversation });
  }

  /** Deletes all records, values and files of a room. */
  async deleteRoom(room: Bytes): Promise<void> {
    await this.write(deletions(withPrefix(room), HEADS, RECORDS, STATES, FILES, FILE_HEADS), { kind: "room", room });
  }

  /** Does the same, and tells no other tab: what was said is kept in another way, and stays in their view. */
  async forgetRoom(room: Bytes): Promise<void> {
    await this.write(deletions(withPrefix(room), HEADS, RECORDS, STATES, FILES, FILE_HEADS));
  }

  /** Deletes everything in this store, of all pages of the origin, even what cannot be read any more. */
  deleteAll(): Promise<void> {
    return this.database.delete();
  }

  /** Stores the bytes of a file. */
  async putFile(room: Bytes, [rest, head]: Item, bytes: Bytes): Promise<void> {
    const key = joined(room, rest);
    await this.write([
      { store: FILE_HEADS, key, value: head, replaces: true },
      { store: FILES, key, value: bytes, replaces: true },
    ]);
  }

  /** Returns the bytes of a file, if they are there. */
  getFile(room: Bytes, key: Bytes): Promise<Bytes | undefined> {
    return this.valueOf(FILES, joined(room, key));
  }

  /** Deletes the bytes of a file, if they are there. */
  async deleteFile(room: Bytes, key: Bytes): Promise<void> {
    await this.write(deletions(only(joined(room, key)), FILE_HEADS, FILES));
  }

  /** Returns which files of a room are there, with their heads. */
  async files(room: Bytes): Promise<Item[]> {
    const files: Item[] = [];
    let range = withPrefix(room);
    for (;;) {
      const entries = await this.read(FILE_HEADS, range, FILES_AT_ONCE);
      for (const { key, value } of entries) if (value) files.push([key.slice(ROOM), value]);
      const last = entries.at(-1);
      if (!last) return files;
      range = after(range, last.key);
    }
  }

  private read(store: StoreName, range: Range, limit: number, from?: "end"): Promise<Entry[]> {
    return this.database.with((connection) => connection.read(store, range, limit, from));
  }

  private async valueOf(store: StoreName, key: Bytes): Promise<Bytes | undefined> {
    const [entry] = await this.read(store, only(key), 1);
    return entry?.value;
  }

  /** Carries out all steps or none, and tells the other tabs. */
  private async write(steps: Step[], change?: Change): Promise<void> {
    if (steps.length > 0) await this.database.with((connection) => connection.write(steps));
    if (!this.channel || !change) return;
    try {
      for (const message of written(change)) this.channel.postMessage(message);
    } catch {
      // The channel is closed, or the browser has no memory left for the message.
    }
  }
}

const deletions = (range: Range, ...stores: StoreName[]): Step[] => stores.map((store) => ({ store, range }));

const stateKey = (room: Bytes, name: string): Bytes => joined(room, new TextEncoder().encode(name));
