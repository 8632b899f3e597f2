// Where a file that comes is kept until it has come: on the disk where the browser can stream to it, else in memory.

/** What the engine writes to, one call after the other. */
export interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
}

/** A file that comes. */
export interface Store extends Sink {
  /** Everything, once it was closed. */
  take(name: string, type: string): File;
  /** It will not be closed. */
  drop(): void;
}

/** What is smaller is kept in memory. */
const LARGE = 1024 * 1024;
const FOLDER = "rtchat-files";
/** Names this page's files, and the lock that says that it is still there. */
const SESSION = crypto.randomUUID();

let folder: Promise<FileSystemDirectoryHandle> | undefined;

export async function openStore(size: number): Promise<Store> {
  if (size >= LARGE) {
    try {
      return await onDisk();
    } catch {
      // A private window, an old browser, a full disk: memory is what is left.
    }
  }
  return inMemory();
}

function inMemory(): Store {
  let parts: Blob[] = [];
  return {
    // Browsers keep large blobs on the disk, if they can.
    write: async (bytes) => void parts.push(new Blob([bytes])),
    close: async () => {},
    take: (name, type) => new File(parts, name, { type }),
    drop: () => {
      parts = [];
    },
  };
}

async function onDisk(): Promise<Store> {
  const its = await (folder ??= openFolder());
  const name = `${SESSION}.${crypto.randomUUID()}`;
  const handle = await its.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  let file: File | undefined;
  return {
    write: (bytes) => writable.write(bytes),
    close: async () => {
      await writable.close();
      file = await handle.getFile();
    },
    // The bytes stay where they are: the program may read them as long as the page lives.
    take: (name, type) => new File(file ? [file] : [], name, { type }),
    drop: () => {
      const remove = (): Promise<void> => its.removeEntry(name);
      writable.abort().then(remove, remove).catch(() => {});
    },
  };
}

/** Opens the folder, and removes what pages left in it that are gone. */
async function openFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const its = await root.getDirectoryHandle(FOLDER, { create: true });
  await new Promise<void>((locked, failed) => {
    navigator.locks.request(FOLDER + SESSION, () => (locked(), new Promise(() => {}))).catch(failed);
  });
  void sweep(its).catch(() => {});
  return its;
}

async function sweep(its: FileSystemDirectoryHandle): Promise<void> {
  // TypeScript's library knows folders, but not that one can walk through them.
  const names = (its as unknown as { keys(): AsyncIterable<string> }).keys();
  for await (const name of names) {
    const [session] = name.split(".");
    await navigator.locks.request(FOLDER + session, { ifAvailable: true }, async (lock) => {
      if (lock) await its.removeEntry(name);
    });
  }
}
