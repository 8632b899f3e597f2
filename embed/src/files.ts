// Files that peers offer, until they have come.
import type { AcceptOptions, FileProgress, IncomingFile } from "../mqtt-rtc.js";
import type { Engine } from "./engine.js";
import { RTChatError } from "./errors.js";
import { type Store, openStore } from "./store.js";

type Progress = (progress: FileProgress) => void;

/** All files of one client: those that come, and who wants to know how far those are that go. */
export class Files {
  readonly #coming = new Map<number, Coming>();
  readonly #sending = new Map<number, (bytes: number) => void>();
  readonly #report: (thrown: unknown) => void;

  constructor(report: (thrown: unknown) => void) {
    this.#report = report;
  }

  /** Tells how far a file is that is sent. */
  watch(token: number, size: number, progress: Progress | undefined): void {
    if (progress) this.#sending.set(token, (bytes) => progress({ bytes, size }));
  }

  unwatch(token: number): void {
    this.#sending.delete(token);
  }

  offered(engine: Engine, peer: string, file: number, name: string, size: number, type: string): IncomingFile {
    const coming = new Coming(peer, { name, size, type }, {
      accept: (store) => engine.acceptFile(file, store),
      refuse: (words) => engine.refuseFile(file, words),
      over: () => this.#coming.delete(file),
    });
    this.#coming.set(file, coming);
    return coming.file;
  }

  progressed(isOurs: boolean, file: number, bytes: number): void {
    try {
      if (isOurs) this.#sending.get(file)?.(bytes);
      else this.#coming.get(file)?.progressed(bytes);
    } catch (thrown) {
      this.#report(thrown);
    }
  }

  done(file: number): void {
    this.#coming.get(file)?.done();
  }

  failed(file: number, error: Error): void {
    this.#coming.get(file)?.fail(error);
  }

  /** Nothing more comes of a peer. */
  failAllOf(peer: string, error: () => Error): void {
    for (const coming of this.#coming.values()) if (coming.peer === peer) coming.fail(error());
  }
}

interface Way {
  accept: (store: Store) => void;
  refuse: (words: string) => void;
  over: () => void;
}

/** One that was offered. */
class Coming {
  readonly peer: string;
  readonly file: IncomingFile;
  #progress: Progress | undefined;
  readonly #way: Way;
  #store: Store | undefined;
  #result: Promise<File> | undefined;
  #settle: { resolve: (file: File) => void; reject: (error: unknown) => void } | undefined;
  /** Why it does not come. */
  #error: unknown;
  #isOver = false;

  constructor(peer: string, what: { name: string; size: number; type: string }, way: Way) {
    this.peer = peer;
    this.#way = way;
    this.file = {
      ...what,
      accept: (options) => (this.#result ??= this.#accept(options)),
      refuse: (reason = "The file was not wanted.") => this.#refuse(String(reason)),
    };
  }

  progressed(bytes: number): void {
    this.#progress?.({ bytes, size: this.file.size });
  }

  done(): void {
    const { name, type } = this.file;
    const file = this.#store?.take(name, type);
    if (this.#end() && file) this.#settle?.resolve(file);
  }

  fail(error: unknown): void {
    if (!this.#end()) return;
    this.#error = error;
    this.#store?.drop();
    this.#settle?.reject(error);
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#way.over();
    return true;
  }

  #refuse(words: string, error: unknown = new RTChatError("refused", "The file was refused here.")): void {
    if (this.#isOver) return;
    this.#way.refuse(words);
    this.fail(error);
  }

  async #accept({ onprogress, signal }: AcceptOptions = {}): Promise<File> {
    signal?.throwIfAborted();
    const result = new Promise<File>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    if (this.#isOver) throw this.#error;
    const abort = (): void => this.#refuse("The other side cancelled.", signal?.reason);
    signal?.addEventListener("abort", abort);
    this.#progress = onprogress;
    this.#store = openStore(this.file.size);
    this.#way.accept(this.#store);
    return await result.finally(() => signal?.removeEventListener("abort", abort));
  }
}
