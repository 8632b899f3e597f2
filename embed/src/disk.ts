// A file on the disk, in the browser's private file system. Workers alone may write there without a detour through the
// browser's main process, which costs several times the processor's time.

/** What a worker knows and TypeScript's library for pages does not. */
interface OpenFile {
  write(bytes: Uint8Array<ArrayBuffer>): number;
  close(): void;
}
type Handle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<OpenFile> };

/** Opens a file, writes to it, closes it. */
type Order = [folder: string, name: string] | Uint8Array<ArrayBuffer> | "close";
/** What was thrown, or else the memory of what was written. */
type Answer = { thrown: unknown } | { written: ArrayBuffer | undefined };

/** What the worker does. It is given as text, so it stands alone. */
function work(): void {
  let file: OpenFile | undefined;
  const carryOut = async (order: Order): Promise<ArrayBuffer | undefined> => {
    if (order === "close") file?.close();
    else if (order instanceof Uint8Array) {
      if (file?.write(order) !== order.length) throw new DOMException("", "QuotaExceededError");
      return order.buffer;
    } else {
      const [folder, name] = order;
      const root = await navigator.storage.getDirectory();
      const handle = await (await root.getDirectoryHandle(folder)).getFileHandle(name, { create: true });
      file = await (handle as Handle).createSyncAccessHandle();
    }
    return undefined;
  };
  onmessage = ({ data }: MessageEvent<Order>): void => {
    carryOut(data).then(
      (written) => postMessage({ written }, { transfer: written ? [written] : [] }),
      (thrown: unknown) => postMessage({ thrown }),
    );
  };
}

export class Disk {
  readonly #worker: Worker;
  /** The last order, carried out or not. */
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<unknown> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Makes a file in a folder that is there. Rejects where pages may not do that. */
  static async open(folder: string, name: string): Promise<Disk> {
    const program = URL.createObjectURL(new Blob([`(${work})()`], { type: "text/javascript" }));
    try {
      const disk = new Disk(new Worker(program));
      await disk.#order([folder, name]).catch((thrown: unknown) => {
        disk.#worker.terminate();
        throw thrown;
      });
      return disk;
    } finally {
      URL.revokeObjectURL(program);
    }
  }

  /** Writes after what was written. The bytes are gone from here; brings back their memory. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer | undefined> {
    return this.#order(bytes, [bytes.buffer]);
  }

  /** Closes it, after what is being written. */
  close(): Promise<unknown> {
    return (this.#closed ??= this.#order("close").finally(() => this.#worker.terminate()));
  }

  /** One order after the other, so each answer belongs to the last one. */
  #order(order: Order, transfer: Transferable[] = []): Promise<ArrayBuffer | undefined> {
    const carryOut = (): Promise<ArrayBuffer | undefined> =>
      new Promise((resolve, reject) => {
        this.#worker.onmessage = ({ data }: MessageEvent<Answer>) =>
          "thrown" in data ? reject(data.thrown) : resolve(data.written);
        // A policy that allows no such worker says no more than this.
        this.#worker.onerror = () => reject(new DOMException("", "SecurityError"));
        this.#worker.postMessage(order, transfer);
      });
    const answer = this.#last.then(carryOut, carryOut);
    this.#last = answer;
    return answer;
  }
}
