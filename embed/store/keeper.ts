// Carries what the room keeps to the store and back. It decides nothing but when to write: what has gathered while the store
// was busy is written at once. src/driver/store.rs calls it, and is told what comes back.

import { Blobs } from "./blobs.ts";
import type { Change } from "./changes.ts";
import { problem } from "./errors.ts";
import type { Bytes } from "./keys.ts";
import { copy, type Former } from "./moving.ts";
import { type Item, type Mode, Store } from "./records.ts";
import { type Command, note, take } from "./unwritten.ts";

/** The number of records of each conversation that are read before anything else. */
const FIRST = 150;
/** The number of older records that are read at once, while the page goes on. */
const PAGE = 200;

/** At most this many changes are written at once: the browser copies them in one task, during which the page does nothing else. */
const MAX_WRITTEN = 60;

/** What comes back. */
export type Tell = (
  ...event:
    | [kind: "records", records: Item[]]
    | [kind: "state", name: string, value: Bytes]
    /** Everything that was kept before has come. It is not told if nothing is kept. */
    | [kind: "restored"]
    /** The store is another one now. It has what was moved to it, and nothing else that the room has. */
    | [kind: "replaced"]
    /** Another tab has deleted these records, a conversation, or everything. */
    | [kind: "deleted", keys: Bytes[]]
    | [kind: "conversation", conversation: Bytes]
    | [kind: "room"]
    /** There is a place for the bytes of files, and these are there. */
    | [kind: "files", files: Item[]]
    /** The bytes of this file, if they are here, for this transfer. */
    | [kind: "bytes", token: number, blob: Blob | undefined]
    | [kind: "notice", sentence: string]
) => void;

/** Lets the browser ask whether the page is to be left. */
const ask = (event: BeforeUnloadEvent): void => event.preventDefault();

/** What is kept of one room. */
export class Keeper {
  private mode: Mode = "off";
  /** The store, once it is open and everything in it has been read. */
  private store: Store | undefined;
  /** What is to be written. */
  private commands: Command[] = [];
  /** What is being written. */
  private running: Command[] = [];
  /** The stores that were used before, until what they have of the room is in the store that is used now. */
  private former: Former[] = [];
  /** The mode whose store was opened last, or is being opened. */
  private entered: Mode = "off";
  /** Is fulfilled when the store is open. */
  private opening: Promise<void> = Promise.resolve();
  /** Is fulfilled when the store that was chosen is the one that is used. */
  private changing: Promise<void> | undefined;
  /** Changes of other tabs that came while everything was read. */
  private changes: Change[] = [];
  private isWriting = false;
  /** Who waits until everything is written. */
  private settling: (() => void)[] = [];
  /** Whether the person was told that something was not kept. */
  private hasTold = false;
  /** Whether the browser was asked not to delete what is kept. */
  private hasAsked = false;
  private isClosed = false;
  private readonly blobs = new Blobs();
  /** The number of files that are being stored. */
  private storing = 0;
  /** Ends what listens to the page. */
  private readonly listening = new AbortController();

  constructor(
    private readonly room: Bytes,
    private readonly states: string[],
    private readonly listener: Tell,
  ) {
    const { signal } = this.listening;
    addEventListener("pagehide", () => this.leavePage(), { signal });
    // A page that comes back as it was goes on writing.
    addEventListener("pageshow", ({ persisted }) => void (persisted && take(this.room)), { signal });
  }

  /** Opens the store, writes what the page before this one could not write any more, and reads what is in it. */
  open(mode: Mode): Promise<void> {
    this.mode = mode;
    const { commands, former } = take(this.room);
    if (mode !== "off") this.running = commands;
    this.former = former.map((mode) => ({ mode }));
    this.opening = this.begun(mode);
    return this.opening;
  }

  /** There is a place for the bytes of files, in memory, although nothing is kept. */
  openFiles(): void {
    this.tell("files", []);
  }

  /** Keeps what is said in another way from now on. What the former store has of this room is moved, and deleted there. */
  choose(mode: Mode): Promise<void> {
    if (this.store) this.former.push({ mode: this.mode, store: this.store });
    this.store = undefined;
    this.mode = mode;
    this.commands = mode === "off" ? [] : [...this.running, ...this.commands];
    this.running = [];
    this.hasTold = false;
    this.changing ??= this.opening.then(() => this.change());
    return this.changing;
  }

  /** The room was left. What was to be kept is still written. */
  close(): void {
    this.isClosed = true;
    // Writing ends it.
    void this.opening.then(() => this.changing).then(() => (this.store ? this.begin() : this.end()));
  }

  /** Keeps a record, in the place of one with the same key. */
  put(key: Bytes, value: Bytes): void {
    this.queue(["put", key, value]);
  }

  /** Keeps a record, unless there is one with the same key: another tab may know more of it. */
  add(key: Bytes, value: Bytes): void {
    this.queue(["add", key, value]);
  }

  delete(key: Bytes): void {
    this.queue(["delete", key]);
  }

  deleteConversation(conversation: Bytes): void {
    this.queue(["deleteConversation", conversation]);
  }

  deleteRoom(): void {
    this.queue(["deleteRoom"]);
  }

  /** Deletes everything of all rooms. Other rooms and tabs may have kept something for good, whatever is kept here. */
  deleteAll(): void {
    if (this.changing) return void this.changing.then(() => this.deleteAll());
    if (this.store) return this.queue(["deleteAll"]);
    this.isWriting = true;
    deleteKept().catch((thrown) => this.failed(thrown)).finally(() => this.written());
  }

  /** Calls back once everything that was wanted is written, or could not be. */
  whenSettled(done: () => void): void {
    if (this.changing || this.isWriting || (this.store && this.commands.length > 0)) this.settling.push(done);
    else done();
  }

  putState(name: string, value: Bytes): void {
    this.queue(["putState", name, value]);
  }

  /** Keeps the bytes of a file that is about to be sent beside a message, until that is said. */
  prepareFile(key: Bytes, blob: Blob): void {
    this.blobs.prepare(key, blob);
  }

  dropPreparedFile(key: Bytes): void {
    this.blobs.dropPrepared(key);
  }

  sayFile(key: Bytes): void {
    this.blobs.say(key);
  }

  /** The bytes of a file, from memory or from the store. */
  async getFile(key: Bytes): Promise<Blob | undefined> {
    const held = this.blobs.get(key);
    if (held || !this.store) return held;
    return blobOf(this.store, this.room, key);
  }

  /** Tells the bytes of a file for a transfer. */
  async sendFile(token: number, key: Bytes): Promise<void> {
    this.tell("bytes", token, this.blobs.get(key) ?? (await this.getFile(key)));
  }

  collectFile(file: number): unknown {
    return this.blobs.collect(file);
  }

  finishFile(file: number, key: Bytes): void {
    this.blobs.finish(file, key);
  }

  discardFile(file: number): void {
    this.blobs.discard(file);
  }

  /** Stores a file that is in memory. */
  async keepFile(key: Bytes, head: Bytes): Promise<void> {
    const { store } = this;
    // Unlike what is said, a file is too large to be noted for the next page. So the browser asks before this one goes away.
    if (this.storing++ === 0) addEventListener("beforeunload", ask);
    try {
      if (store) await this.move([key, head], store);
    } catch (thrown) {
      const { message } = problem(thrown);
      if (store === this.store) this.tell("notice", `A file is not kept longer than this page is open. ${message}`);
    } finally {
      if (--this.storing === 0) removeEventListener("beforeunload", ask);
    }
  }

  async deleteFile(key: Bytes): Promise<void> {
    this.blobs.release(key);
    // A file that cannot be deleted now is deleted when room is needed.
    await this.store?.deleteFile(this.room, key).catch(() => undefined);
  }

  private tell(...event: Parameters<Tell>): void {
    if (!this.isClosed) this.listener(...event);
  }

  private async begun(mode: Mode): Promise<void> {
    let store = await this.enter(mode);
    let files: Item[] = [];
    if (store) this.listen(store);
    await this.collect(store, mode);
    try {
      if (store) {
        await this.carryOut(store, mode, this.running);
        await this.read(store);
        files = await store.files(this.room).catch(() => []);
      }
    } catch (thrown) {
      store?.close();
      store = undefined;
      this.failed(thrown);
    }
    this.tell("files", files);
    if (!store) return;
    this.tell("restored");
    if (this.mode !== mode) {
      // The person has chosen another mode meanwhile.
      this.former.push({ mode, store });
      return;
    }
    this.store = store;
    for (const change of this.changes.splice(0)) await this.changed(change);
    this.begin();
  }

  /** Uses the store that was chosen last. */
  private async change(): Promise<void> {
    for (let mode: Mode | undefined; mode !== this.mode; ) {
      mode = this.mode;
      const store = await this.enter(mode);
      await this.collect(store, mode);
      if (!store) continue;
      if (mode === this.mode) this.use(store);
      else this.former.push({ mode, store });
    }
    this.changing = undefined;
    this.written();
  }

  /** Opens the store of this mode, if it has one. If it cannot be opened, that is told. */
  private async enter(mode: Mode): Promise<Store | undefined> {
    this.entered = mode;
    if (mode === "off") return undefined;
    return Store.open(mode).catch((thrown) => void this.failed(thrown));
  }

  /**
   * Moves what the former stores have of the room to this one. Without one, it is only deleted there: nothing is kept longer than
   * the person chose.
   */
  private async collect(store: Store | undefined, mode: Mode): Promise<void> {
    for (let former; (former = this.former[0]); this.former.shift()) {
      let from = former.store;
      try {
        if (former.mode === mode || former.mode === "off") continue;
        from ??= await Store.open(former.mode);
        await copy(this.room, this.states, from, store, (key, blob) => this.blobs.hold(key, blob)).catch((thrown) => this.failed(thrown));
        await from.forgetRoom(this.room);
      } catch (thrown) {
        this.failed(thrown);
      } finally {
        from?.close();
      }
    }
  }

  private use(store: Store): void {
    this.store = store;
    this.listen(store);
    this.tell("replaced");
    this.begin();
  }

  /** Tells the person once, and goes on. */
  private failed(thrown: unknown): void {
    if (!this.hasTold) this.tell("notice", problem(thrown).message);
    this.hasTold = true;
  }

  private async read(store: Store): Promise<void> {
    const { room } = this;
    for (const name of this.states) {
      const value = await store.getState(room, name);
      if (value) this.tell("state", name, value);
    }
    const older: [conversation: Bytes, next: Bytes][] = [];
    for (const conversation of await store.conversations(room)) {
      const { records, next } = await store.newest(room, conversation, undefined, FIRST);
      if (next) older.push([conversation, next]);
      this.tell("records", records.reverse());
    }
    for (const [conversation, first] of older) {
      for (let key: Bytes | undefined = first; key && !this.isClosed; ) {
        const { records, next }: { records: Item[]; next: Bytes | undefined } = await store.newest(room, conversation, key, PAGE);
        this.tell("records", records.reverse());
        await new Promise((done) => setTimeout(done));
        key = next;
      }
    }
  }

  private listen(store: Store): void {
    store.onChange = (change) => {
      if (this.store) void this.changed(change);
      else this.changes.push(change);
    };
  }

  /** Hands on what another tab has changed. */
  private async changed(change: Change): Promise<void> {
    const { room, store } = this;
    if (!store || String(change.room) !== String(room)) return;
    try {
      switch (change.kind) {
        case "put": {
          const records: Item[] = [];
          for (const key of change.keys) {
            const record = await store.get(room, key);
            if (record) records.push(record);
          }
          return this.tell("records", records);
        }
        case "state": {
          const value = this.states.includes(change.name) && (await store.getState(room, change.name));
          return value ? this.tell("state", change.name, value) : undefined;
        }
        case "deleted":
          return this.tell("deleted", change.keys);
        case "conversation":
          return this.tell("conversation", change.conversation);
        case "room":
          return this.tell("room");
      }
    } catch (thrown) {
      this.failed(thrown);
    }
  }

  private queue(command: Command): void {
    this.commands.push(command);
    // All commands that the room has now are written together.
    queueMicrotask(() => this.begin());
  }

  /** Writes what has gathered. */
  private begin(): void {
    if (!this.isWriting && this.store) void this.write();
  }

  private async write(): Promise<void> {
    this.isWriting = true;
    if (this.commands.length > 0 && this.mode === "kept" && !this.hasAsked) {
      this.hasAsked = true;
      // Whether the browser promises it changes nothing here. Firefox asks the person, and answers when they do.
      navigator.storage?.persist().catch(() => undefined);
    }
    // The store becomes another one when the person chooses so.
    for (let { store } = this; store && this.commands.length > 0; { store } = this) {
      await this.carryOut(store, this.mode, this.commands.splice(0));
    }
    this.written();
  }

  private written(): void {
    this.isWriting = false;
    for (const done of this.settling.splice(0)) done();
    if (this.store && this.commands.length > 0) this.begin();
    else if (this.isClosed) this.end();
  }

  private end(): void {
    this.store?.close();
    this.listening.abort();
  }

  private leavePage(): void {
    const modes = [this.entered, ...this.former.map(({ mode }) => mode)];
    const former = modes.filter((mode) => mode !== "off" && mode !== this.mode);
    note(this.room, { commands: [...this.running, ...this.commands], former });
  }

  /** Writes these. If it fails, that is told. */
  private async carryOut(store: Store, mode: Mode, commands: Command[]): Promise<void> {
    this.running = commands;
    try {
      // Whoever chooses another mode takes what is left.
      while (this.mode === mode && commands.length > 0) {
        const kind = commands[0]![0];
        const other = commands.findIndex((command) => command[0] !== kind);
        // A run of commands of one kind is carried out at once, or one after the other.
        const run = commands.slice(0, Math.min(MAX_WRITTEN, other < 0 ? MAX_WRITTEN : other));
        await this.carryOutRun(store, mode, run);
        commands.splice(0, run.length);
      }
    } catch (thrown) {
      if (this.running === commands) this.failed(thrown);
    }
    if (this.running === commands) this.running = [];
  }

  private async carryOutRun(store: Store, mode: Mode, run: Command[]): Promise<void> {
    const { room } = this;
    const kind = run[0]![0];
    if (kind === "put" || kind === "add") {
      await store.put(room, run.map(([, key, value]) => [key, value] as Item), kind === "put");
    } else if (kind === "delete") {
      await store.delete(room, run.map(([, key]) => key as Bytes));
    } else if (kind === "deleteRoom") {
      await store.deleteRoom(room);
    } else if (kind === "deleteAll") {
      await store.deleteAll();
      if (mode !== "kept") await deleteKept();
    } else {
      for (const command of run) {
        if (command[0] === "putState") await store.putState(room, command[1], command[2]);
        else if (command[0] === "deleteConversation") await store.deleteConversation(room, command[1]);
      }
    }
  }

  /** Stores a file that is in memory, where it is held no longer then. */
  private async move(file: Item, store: Store): Promise<void> {
    const blob = this.blobs.get(file[0]);
    if (!blob) return;
    await store.putFile(this.room, file, new Uint8Array(await blob.arrayBuffer()));
    this.blobs.release(file[0]);
  }
}

/** Deletes what is kept for good, in all rooms. */
async function deleteKept(): Promise<void> {
  const store = await Store.open("kept");
  try {
    await store.deleteAll();
  } finally {
    store.close();
  }
}

/** The bytes of a file in a store, if they can be read. */
async function blobOf(store: Store, room: Bytes, key: Bytes): Promise<Blob | undefined> {
  try {
    const bytes = await store.getFile(room, key);
    return bytes && new Blob([bytes]);
  } catch {
    return undefined;
  }
}
