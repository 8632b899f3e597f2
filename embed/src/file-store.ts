// Stores incoming files: large ones on the disk, if the client's options and the browser allow it, and all others in
// memory.
import { DiskFile } from "./disk.js";

/**
 * A store that the engine writes to, one call after the other. The bytes belong to the sink from then on. It may return
 * their buffer once they are written, because allocating a new one costs more than everything else that is done with
 * it.
 */
export interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer | undefined>;
  close(): Promise<void>;
}

/** The store of one incoming file. */
export interface FileStore extends Sink {
  /** Returns the whole file after it was closed. */
  take(name: string, type: string): File;
  /** Deletes everything that was written. The file will not be closed. */
  drop(): void;
}

interface Backend {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer | undefined>;
  /** Returns everything that was written. */
  close(): Promise<Blob[]>;
  drop(): void;
}

/** Smaller files stay in memory, because this many bytes may be in flight at any time anyway. */
const MIN_SIZE_ON_DISK = 8 * 1024 * 1024;
const FOLDER = "rtchat-files";

/**
 * Opens a store. It uses nothing before the first bytes come, since a peer can offer files and withdraw them as fast as
 * it can send. Writes that come before the disk is open wait.
 */
export function openStore(size: number, mayWriteToDisk: boolean): FileStore {
  const useDisk = mayWriteToDisk && size >= MIN_SIZE_ON_DISK;
  let opening: Promise<Backend> | undefined;
  // Memory is used in private windows and old browsers, under a policy that forbids the worker, and if the disk is
  // full.
  const open = (): Promise<Backend> =>
    (opening ??= useDisk ? openOnDisk().catch(openInMemory) : Promise.resolve(openInMemory()));
  let parts: Blob[] = [];
  return {
    write: async (bytes) => await (await open()).write(bytes),
    close: async () => {
      parts = await (await open()).close();
    },
    take: (name, type) => new File(parts, name, { type }),
    drop: () => void opening?.then((backend) => backend.drop()),
  };
}

function openInMemory(): Backend {
  let parts: Blob[] = [];
  return {
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

async function openOnDisk(): Promise<Backend> {
  const { folder, prefix, names } = await (pageFolder ??= openPageFolder());
  const name = `${prefix}.${crypto.randomUUID()}`;
  names.add(name);
  const disk = await DiskFile.create(FOLDER, name);
  return {
    write: (bytes) => disk.write(bytes),
    // The bytes stay on the disk: the program may read the file as long as the page is open.
    close: async () => {
      await disk.close();
      const file = await folder.getFileHandle(name);
      return [await file.getFile()];
    },
    drop: () => {
      const remove = async (): Promise<void> => {
        await folder.removeEntry(name);
        names.delete(name);
      };
      disk.close().then(remove, remove).catch(() => {});
    },
  };
}

/** This page's share of the folder. */
interface PageFolder {
  readonly folder: FileSystemDirectoryHandle;
  /** The prefix of the names of this page's files. A lock with this name is held as long as the page lives. */
  readonly prefix: string;
  /** The names of this page's files. */
  readonly names: Set<string>;
}

let pageFolder: Promise<PageFolder> | undefined;
let hasLookedForLeftovers = false;

async function openPageFolder(): Promise<PageFolder> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  const prefix = crypto.randomUUID();
  await new Promise<void>((locked, failed) => {
    navigator.locks.request(FOLDER + prefix, () => (locked(), new Promise(() => {}))).catch(failed);
  });
  void sweep(folder).catch(() => {});
  const names = new Set<string>();
  addEventListener("pagehide", ({ persisted }) => {
    // A page that may come back keeps its files. Otherwise this is the last chance. Files that it misses, such as one
    // that is still open, are removed by the next page.
    if (!persisted) for (const name of names) folder.removeEntry(name).catch(() => {});
  });
  return { folder, prefix, names };
}

/** Removes the files of pages that were closed or have crashed. Further calls on the same page do nothing. */
export function removeLeftovers(): void {
  if (hasLookedForLeftovers) return;
  hasLookedForLeftovers = true;
  // This rejects if no page has ever stored a file, or if no page can. Nothing is created then.
  const remove = async (): Promise<void> => {
    const root = await navigator.storage.getDirectory();
    await sweep(await root.getDirectoryHandle(FOLDER));
  };
  remove().catch(() => {});
}

async function sweep(folder: FileSystemDirectoryHandle): Promise<void> {
  // TypeScript's library has folders, but not the iteration over them.
  const names = (folder as unknown as { keys(): AsyncIterable<string> }).keys();
  for await (const name of names) {
    const [prefix] = name.split(".");
    // Getting the lock shows that the page is gone. A file that cannot be removed now is tried again later.
    await navigator.locks.request(FOLDER + prefix, { ifAvailable: true }, async (lock) => {
      if (lock) await folder.removeEntry(name).catch(() => {});
    });
  }
}
