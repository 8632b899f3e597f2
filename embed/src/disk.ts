// One file in the origin's private file system, written by a worker: only workers can write there without a detour
// through the browser's main process, which takes several times the processor's time.
import type { DiskRequest, DiskResponse } from "./disk-worker.js";

export class DiskFile {
  readonly #worker: Worker;
  /** The latest request, answered or not. */
  #latest: Promise<unknown> = Promise.resolve();
  #closed: Promise<unknown> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /**
   * Creates a file in a folder that exists. Rejects if the page cannot start the worker (because the module is on
   * another origin, a policy forbids it, or its file is missing), or if the worker cannot write.
   */
  static async create(folder: string, name: string): Promise<DiskFile> {
    // Bundlers recognise this expression, and include the worker's file.
    const disk = new DiskFile(new Worker(new URL("./mqtt-rtc-worker.js", import.meta.url)));
    try {
      await disk.#request({ folder, name });
      return disk;
    } catch (thrown) {
      disk.#worker.terminate();
      throw thrown;
    }
  }

  /** Appends bytes. Their buffer is moved to the worker; the promise returns it once they are written. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer | undefined> {
    return this.#request({ bytes }, [bytes.buffer]);
  }

  /** Closes the file after all pending writes. */
  close(): Promise<unknown> {
    return (this.#closed ??= this.#request("close").finally(() => this.#worker.terminate()));
  }

  /** Sends one request at a time, so that each response belongs to the latest request. */
  #request(request: DiskRequest, transfer: Transferable[] = []): Promise<ArrayBuffer | undefined> {
    const send = (): Promise<ArrayBuffer | undefined> =>
      new Promise((resolve, reject) => {
        this.#worker.onmessage = ({ data }: MessageEvent<DiskResponse>) =>
          "thrown" in data ? reject(data.thrown) : resolve(data.written);
        // Browsers give no details if a policy forbids the worker or its file is missing.
        this.#worker.onerror = () => reject(new DOMException("", "SecurityError"));
        this.#worker.postMessage(request, transfer);
      });
    const response = this.#latest.then(send, send);
    this.#latest = response;
    return response;
  }
}
