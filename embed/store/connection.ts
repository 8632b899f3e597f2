// A connection to a database, and the transactions in it. A transaction ends when it has nothing more to do, so nothing else
// is awaited in between.

import { problem, StoreError } from "./errors.ts";
import type { Bytes, Range } from "./keys.ts";

/** The records, by key. */
export const RECORDS = "records";
/** The records without their bytes, by key. */
export const HEADS = "heads";
/** Small values, by room and name. */
export const STATES = "states";
/** The bytes of files, by room and file. */
export const FILES = "files";
/** The sender and the time of each file, by room and file. */
export const FILE_HEADS = "file heads";

export const STORES = [RECORDS, HEADS, STATES, FILES, FILE_HEADS] as const;
export type StoreName = (typeof STORES)[number];

/** The version of the database. It grows when what is stored changes its form. */
const VERSION = 2;

/**
 * The time limit for opening or deleting a database, in milliseconds. It is long because a busy device answers late; and
 * some browsers never answer, in private windows or after they were started.
 */
const PATIENCE = 10_000;

/** An entry as it is stored. Other scripts of the origin can write, too, so it may be anything. */
export interface Entry {
  key: Bytes;
  /** Without one, it is nothing that this page writes. */
  value: Bytes | undefined;
}

/** A part of a transaction that writes: something is deleted, or put, and then `replaces` says whether in the place of another. */
export type Step = { store: StoreName } & ({ range: Range } | { key: Bytes; value: Bytes; replaces: boolean });

/** A connection, which is closed as soon as it stands in somebody's way. Transactions that have begun are completed. */
export class Connection {
  /** Closed ones can be opened again. A superseded one cannot: a newer version of the page uses the database now. */
  state: "open" | "closed" | "superseded" = "open";

  constructor(private readonly database: IDBDatabase) {
    const close = (event: Event) => {
      const isUpgrade = event instanceof IDBVersionChangeEvent && event.newVersion !== null;
      this.state = isUpgrade ? "superseded" : "closed";
      database.close();
    };
    database.addEventListener("versionchange", close);
    database.addEventListener("close", close);
  }

  /** Closes it, or notes that it turned out to be closed. */
  close(): void {
    if (this.state === "open") this.state = "closed";
    this.database.close();
  }

  /** Reads entries of a range, in the order of their keys: the first or the last ones. */
  async read(name: StoreName, range: Range, limit: number, from: "start" | "end" = "start"): Promise<Entry[]> {
    const keys = keyRange(range);
    if (!keys) return [];
    const transaction = this.transaction([name], "readonly");
    const store = transaction.objectStore(name);
    const part = from === "end" ? await lastOf(store, keys, limit) : keys;
    const [found, values] = [store.getAllKeys(part, limit), store.getAll(part, limit)];
    await completed(transaction);
    return found.result.map((key, at) => ({ key: bytesOf(key) ?? new Uint8Array(), value: bytesOf(values.result[at]) }));
  }

  /** The first key in a range. */
  async firstKey(name: StoreName, range: Range): Promise<Bytes | undefined> {
    const keys = keyRange(range);
    if (!keys) return undefined;
    const transaction = this.transaction([name], "readonly");
    const found = transaction.objectStore(name).getKey(keys);
    await completed(transaction);
    return found.result === undefined ? undefined : (bytesOf(found.result) ?? new Uint8Array());
  }

  /** Carries out all steps or none, and returns when what was written is stored. */
  async write(steps: Step[]): Promise<void> {
    const transaction = this.transaction(STORES, "readwrite");
    try {
      for (const step of steps) issue(transaction.objectStore(step.store), step);
    } catch (thrown) {
      try {
        transaction.abort();
      } catch {
        // It has ended.
      }
      throw thrown;
    }
    await completed(transaction);
  }

  private transaction(stores: readonly StoreName[], mode: IDBTransactionMode): IDBTransaction {
    try {
      return this.database.transaction(stores, mode);
    } catch (thrown) {
      // It throws an `InvalidStateError` if the connection is closed.
      const error = problem(thrown);
      throw error.reason === "denied" ? new StoreError("closed") : error;
    }
  }
}

/** Opens the database of this name, and makes it if there is none. */
export async function open(name: string): Promise<Connection> {
  const request = factory().open(name, VERSION);
  request.addEventListener("upgradeneeded", () => {
    for (const store of STORES) {
      // A store that an earlier version made stays. A database without one is reported as broken when it is used.
      if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store);
    }
  });
  const opened = settled(request).then((database) => new Connection(database));
  try {
    return await inTime(opened);
  } catch (error) {
    // A late answer leaves no connection that stands in the way of others.
    opened.then((connection) => connection.close(), () => undefined);
    throw error;
  }
}

/** Deletes the database of this name, if there is one. Everybody who uses it closes it. */
export async function remove(name: string): Promise<void> {
  await inTime(settled(factory().deleteDatabase(name)));
}

/** The browser's databases. */
export function factory(): IDBFactory {
  // Some browsers have none.
  const factory: IDBFactory | null | undefined = indexedDB;
  if (!factory) throw new StoreError("denied");
  return factory;
}

/** Pages may have replaced `Promise` by one that has neither `race` nor `finally`. */
const inTime = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new StoreError("silent")), PATIENCE);
    const settle = <Value>(as: (value: Value) => void) => (value: Value): void => {
      clearTimeout(timer);
      as(value);
    };
    answer.then(settle(resolve), settle(reject));
  });

/** The part of a range that has its last entries. They are looked up, because entries are read forwards only. */
async function lastOf(store: IDBObjectStore, range: IDBKeyRange, entries: number): Promise<IDBKeyRange> {
  const request = store.openKeyCursor(range, "prev");
  for (let steps = entries - 1; ; steps = 0) {
    const cursor = await settled(request);
    // There are fewer entries.
    if (!cursor) return range;
    if (steps > 0) {
      cursor.advance(steps);
    } else {
      return range.upper === undefined
        ? IDBKeyRange.lowerBound(cursor.key)
        : IDBKeyRange.bound(cursor.key, range.upper, false, range.upperOpen);
    }
  }
}

/** Waits for the end of a transaction. Nothing is awaited before that. */
const completed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    // Only a database that is closed or deleted aborts without a reason.
    transaction.onabort = () => reject(transaction.error ?? new StoreError("closed"));
  });

/** The result of a request. */
const settled = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function issue(store: IDBObjectStore, step: Step): void {
  if ("range" in step) {
    const range = keyRange(step.range);
    if (range) store.delete(range);
  } else if (step.replaces) {
    store.put(step.value, step.key);
  } else {
    const request = store.add(step.value, step.key);
    request.onerror = (event) => {
      // That it is there already must not end the transaction.
      if (request.error?.name !== "ConstraintError") return;
      event.preventDefault();
      event.stopPropagation();
    };
  }
}

/** The bytes of a key or a value. */
function bytesOf(stored: unknown): Bytes | undefined {
  if (stored instanceof ArrayBuffer) return new Uint8Array(stored);
  return stored instanceof Uint8Array ? (stored as Bytes) : undefined;
}

/** The browser's form of a range. There is none if no key can lie in it, which browsers take for a mistake. */
function keyRange({ lower, isOpen, end }: Range): IDBKeyRange | undefined {
  if (!end) return IDBKeyRange.lowerBound(lower, isOpen);
  return indexedDB.cmp(end, lower) > 0 ? IDBKeyRange.bound(lower, end, isOpen, true) : undefined;
}
