// Files that peers offer, until they have arrived, and the progress of those that are sent.
import type { AcceptOptions, FileProgress, IncomingFile, ReceivedFile } from "../mqtt-rtc.js";
import type { Engine } from "./engine.js";
import { RTChatError } from "./errors.js";
import { type FileStore, openStore } from "./file-store.js";
import { inertType, withSaidType } from "./media-types.js";

type ProgressListener = (progress: FileProgress) => void;

/** A file that a peer offers, as the peer describes it. */
export interface FileOffer {
  readonly file: number;
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

/** All files of one client. */
export class Files {
  readonly #incoming = new Map<number, IncomingTransfer>();
  readonly #outgoing = new Map<number, (bytes: number) => void>();
  readonly #mayWriteToDisk: boolean;
  readonly #report: (thrown: unknown) => void;

  /** `report` receives errors that progress listeners throw. */
  constructor(mayWriteToDisk: boolean, report: (thrown: unknown) => void) {
    this.#mayWriteToDisk = mayWriteToDisk;
    this.#report = report;
  }

  /** Reports the progress of a file that is sent. */
  watch(token: number, size: number, listener: ProgressListener | undefined): void {
    if (listener) this.#outgoing.set(token, (bytes) => listener({ bytes, size }));
  }

  unwatch(token: number): void {
    this.#outgoing.delete(token);
  }

  offered(engine: Engine, peer: string, offer: FileOffer): IncomingFile {
    const transfer = new IncomingTransfer(peer, offer, {
      openStore: () => openStore(offer.size, this.#mayWriteToDisk),
      accept: (store) => engine.acceptFile(offer.file, store),
      refuse: (reason) => engine.refuseFile(offer.file, reason),
      ended: () => this.#incoming.delete(offer.file),
    });
    this.#incoming.set(offer.file, transfer);
    return transfer.file;
  }

  progressed(isOwn: boolean, file: number, bytes: number): void {
    try {
      if (isOwn) this.#outgoing.get(file)?.(bytes);
      else this.#incoming.get(file)?.progressed(bytes);
    } catch (thrown) {
      this.#report(thrown);
    }
  }

  done(file: number): void {
    this.#incoming.get(file)?.done();
  }

  failed(file: number, error: Error): void {
    this.#incoming.get(file)?.fail(error);
  }

  /** Ends all files that a peer offered. */
  failAllOf(peer: string, error: () => Error): void {
    for (const transfer of this.#incoming.values()) if (transfer.peer === peer) transfer.fail(error());
  }
}

/** The functions of the client that a transfer needs. */
interface TransferContext {
  openStore: () => FileStore;
  accept: (store: FileStore) => void;
  refuse: (reason: string) => void;
  ended: () => void;
}

class IncomingTransfer {
  readonly peer: string;
  readonly file: IncomingFile;
  readonly #context: TransferContext;
  #onProgress: ProgressListener | undefined;
  #store: FileStore | undefined;
  #result: Promise<ReceivedFile> | undefined;
  #settle: { resolve: (file: ReceivedFile) => void; reject: (error: unknown) => void } | undefined;
  /** The reason why the file does not arrive. */
  #error: unknown;
  #hasEnded = false;

  constructor(peer: string, { name, size, type }: FileOffer, context: TransferContext) {
    this.peer = peer;
    this.#context = context;
    this.file = {
      name,
      size,
      type: inertType(type),
      saidType: type,
      accept: (options) => (this.#result ??= this.#accept(options)),
      refuse: (reason = "The file was not wanted.") => this.#refuse(String(reason)),
    };
  }

  progressed(bytes: number): void {
    this.#onProgress?.({ bytes, size: this.file.size });
  }

  done(): void {
    const { name, type, saidType } = this.file;
    const file = this.#store?.take(name, type);
    if (this.#end() && file) this.#settle?.resolve(withSaidType(file, saidType));
  }

  fail(error: unknown): void {
    if (!this.#end()) return;
    this.#error = error;
    this.#store?.drop();
    this.#settle?.reject(error);
  }

  #end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#context.ended();
    return true;
  }

  #refuse(reason: string, error: unknown = new RTChatError("refused", "The file was refused here.")): void {
    if (this.#hasEnded) return;
    this.#context.refuse(reason);
    this.fail(error);
  }

  async #accept({ onprogress, signal }: AcceptOptions = {}): Promise<ReceivedFile> {
    signal?.throwIfAborted();
    const result = new Promise<ReceivedFile>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    if (this.#hasEnded) throw this.#error;
    const abort = (): void => this.#refuse("The other side cancelled.", signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#onProgress = onprogress;
    this.#store = this.#context.openStore();
    this.#context.accept(this.#store);
    return await result.finally(() => signal?.removeEventListener("abort", abort));
  }
}
