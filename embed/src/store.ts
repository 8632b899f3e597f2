// Where a file that comes is kept until it has come: on the disk where the browser can write there, else in memory.
import { Disk } from "./disk.js";

/**
 * What the engine writes to, one call after the other. The bytes are the sink's from then on; it may give back their
 * memory when they are written, as new memory costs a browser more than what is done with it.
 */
export interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer | undefined>;
  close(): Promise<void>;
}

/** A file that comes. */
export interface Store extends Sink {
  /** Everything, once it was closed. */
  take(name: string, type: string): File;
  /** It will not be closed. */
  drop(): void;
}

/** Where it is kept. */
interface Place {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer | undefined>;
  /** Brings everything. */
  close(): Promise<Blob[]>;
  drop(): void;
}

/** What is smaller is kept in memory: no more than may be on its way there at any time. */
const LARGE = 8 * 1024 * 1024;
const FOLDER = "rtchat-files";

/** The folder's name, once it is there; and what names this page's files in it. */
let page: Promise<string> | undefined;

/** Opens a store; what is written at once waits until it is open. */
export function openStore(size: number): Store {
  // A private window, an old browser, a policy, a full disk: memory is what is left.
  const opening = size >= LARGE ? onDisk().catch(inMemory) : Promise.resolve(inMemory());
  let parts: Blob[] = [];
  return {
    write: async (bytes) => await (await opening).write(bytes),
    close: async () => {
      parts = await (await opening).close();
    },
    take: (name, type) => new File(parts, name, { type }),
    drop: () => void opening.then((place) => place.drop()),
  };
}

function inMemory(): Place {
  let parts: Blob[] = [];
  return {
    // Browsers keep large blobs on the disk, if they can.
    write: async (bytes) => {
      parts.push(new Blob([bytes]));
      return bytes.buffer;
    },
    close: async () => parts,
    drop: () => {
      parts = [];
    },
  };
}

async function onDisk(): Promise<Place> {
  const name = `${await (page ??= openFolder())}.${crypto.randomUUID()}`;
  const disk = await Disk.open(FOLDER, name);
  return {
    write: (bytes) => disk.write(bytes),
    // The bytes stay where they are: the program may read them as long as the page lives.
    close: async () => {
      await disk.close();
      const file = await (await folder()).getFileHandle(name);
      return [await file.getFile()];
    },
    drop: () => {
      const remove = async (): Promise<void> => (await folder()).removeEntry(name);
      disk.close().then(remove, remove).catch(() => {});
    },
  };
}

async function folder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return await root.getDirectoryHandle(FOLDER, { create: true });
}

/** Opens the folder, removes what pages left in it that are gone, and gives this page a name there. */
async function openFolder(): Promise<string> {
  const its = await folder();
  const name = crypto.randomUUID();
  // Held as long as the page is there.
  await new Promise<void>((locked, failed) => {
    navigator.locks.request(FOLDER + name, () => (locked(), new Promise(() => {}))).catch(failed);
  });
  void sweep(its).catch(() => {});
  return name;
}

async function sweep(its: FileSystemDirectoryHandle): Promise<void> {
  // TypeScript's library knows folders, but not that one can walk through them.
  const names = (its as unknown as { keys(): AsyncIterable<string> }).keys();
  for await (const name of names) {
    const [page] = name.split(".");
    await navigator.locks.request(FOLDER + page, { ifAvailable: true }, async (lock) => {
      if (lock) await its.removeEntry(name);
    });
  }
}
