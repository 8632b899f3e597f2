// Databases that last as long as a tab.
//
// The name of a tab's database is random and stands in `sessionStorage`, which survives a reload. While the page is open, it
// holds a lock of that name. So whoever finds a database whose lock nobody holds may delete it, also after a crash; and a tab
// that was duplicated, with its `sessionStorage`, notices that the name is taken.

import { factory, remove } from "./connection.ts";
import { StoreError } from "./errors.ts";

/** The prefix of the names of these databases. */
const PREFIX = "rtchat/1/session/";
/** The key in `sessionStorage` under which the name stands. */
const STORED_NAME = "rtchat/1/session";

/**
 * The time limit for the browser's answer to a request for a lock, in milliseconds. It is long because a busy browser answers
 * late.
 */
const PATIENCE = 10_000;
/**
 * How long a page that was not reloaded waits for the lock of its tab's database, in milliseconds. The page before it may
 * release the lock a moment late. After a reload that takes longer on a busy machine, so a page that was reloaded waits for
 * `PATIENCE`. A duplicated tab waits in vain.
 */
const RELEASE = 1_000;
/**
 * How long a lock has to be free until its database is deleted, in milliseconds. A page that is being loaded again has
 * released its lock and does not hold it yet.
 */
const RELOAD = 15_000;

/** The name of this tab's database, and how to release its lock. */
interface Session {
  name: string;
  release: () => void;
}

/** The session of this page, which all of its stores share. */
let session: Promise<Session> | undefined;
let stores = 0;

/** Returns the name of this tab's database, which goes on after a reload. `leave` has to follow, also if this fails. */
export async function enter(): Promise<string> {
  stores += 1;
  session ??= begin();
  return (await session).name;
}

/** A store does not use the session any more. */
export function leave(): void {
  stores -= 1;
  if (stores > 0) return;
  session?.then(({ release }) => release(), () => undefined);
  session = undefined;
}

async function begin(): Promise<Session> {
  // Where they cannot be listed, none is made, because none would be deleted.
  if (!factory().databases) throw new StoreError("sessionless");
  const stored = sessionStorage.getItem(STORED_NAME);
  const former = stored?.startsWith(PREFIX) ? await hold(stored, false, isReload() ? PATIENCE : RELEASE) : undefined;
  const found = former ?? (await hold(PREFIX + randomName(), true, PATIENCE));
  if (!found) throw new StoreError("sessionless");
  try {
    sessionStorage.setItem(STORED_NAME, found.name);
  } catch {
    // The database lasts until the page is reloaded.
  }
  return found;
}

function isReload(): boolean {
  const [navigation] = performance.getEntriesByType("navigation") as (PerformanceNavigationTiming | undefined)[];
  return navigation?.type === "reload";
}

const randomName = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Holds the lock of this name, if the browser grants it within this time. Pages without HTTPS and old browsers have none. */
function hold(name: string, ifAvailable: boolean, millis: number): Promise<Session | undefined> {
  return new Promise((resolve) => {
    let isLate = false;
    const giveUp = () => {
      isLate = true;
      clearTimeout(timer);
      resolve(undefined);
    };
    const timer = setTimeout(giveUp, millis);
    const locks: LockManager | undefined = navigator.locks;
    if (!locks) return giveUp();
    const granted = (lock: Lock | null) => {
      if (isLate || !lock) return giveUp();
      clearTimeout(timer);
      return new Promise<void>((release) => resolve({ name, release }));
    };
    locks.request(name, { ifAvailable }, granted).catch(giveUp);
  });
}

/** Deletes the databases of tabs that are gone. */
export async function sweep(): Promise<void> {
  try {
    const databases = await factory().databases();
    const names = databases.flatMap(({ name }) => (name?.startsWith(PREFIX) ? name : []));
    const gone: string[] = [];
    for (const name of names) {
      const free = await hold(name, true, PATIENCE);
      if (!free) continue;
      free.release();
      gone.push(name);
    }
    if (gone.length === 0) return;
    await new Promise((done) => setTimeout(done, RELOAD));
    for (const name of gone) {
      const free = await hold(name, true, PATIENCE);
      // The next store that is opened finds a database that cannot be deleted now.
      if (free) await remove(name).catch(() => undefined).finally(free.release);
    }
  } catch {
    // Then nothing is deleted.
  }
}
