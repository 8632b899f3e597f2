// What was asked of the engine and is not done: each has a token, by which the engine tells what came of it.

interface Call {
  peer: string;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
  /** What was asked, for who wants to know that with the answer. */
  question: unknown;
}

const TOKENS = 2 ** 32;

/** The open calls of one client. */
export class Calls {
  readonly #open = new Map<number, Call>();
  #last = 0;

  /** Begins a call about a peer. */
  open<T>(peer: string, start: (token: number) => void, question?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      do this.#last = (this.#last + 1) % TOKENS;
      while (this.#open.has(this.#last));
      const token = this.#last;
      this.#open.set(token, { peer, resolve, reject, question });
      try {
        start(token);
      } catch (error) {
        this.reject(token, error);
      }
    });
  }

  isOpen(token: number): boolean {
    return this.#open.has(token);
  }

  /** It is done; returns what is known of it. */
  resolve(token: number, value?: unknown): Call | undefined {
    const call = this.#take(token);
    call?.resolve(value as never);
    return call;
  }

  reject(token: number, error: unknown): void {
    this.#take(token)?.reject(error);
  }

  /** Nothing will come of what a peer was asked for. */
  rejectAllOf(peer: string, error: () => Error): void {
    for (const [token, call] of this.#open) {
      if (call.peer === peer) this.reject(token, error());
    }
  }

  #take(token: number): Call | undefined {
    const call = this.#open.get(token);
    this.#open.delete(token);
    return call;
  }
}

/** Keeps the order of what goes to one peer, also where something takes its time to be ready. */
export class Line {
  #tail: Promise<void> | undefined;

  /** Whether what comes now has to wait. */
  get isBusy(): boolean {
    return this.#tail !== undefined;
  }

  /** Calls `act` with the value, after everything before it: at once, if nothing has to be waited for. */
  put<T>(value: T | Promise<T>, act: (value: T) => void, fail: (error: unknown) => void): void {
    if (!this.#tail && !(value instanceof Promise)) return act(value);
    // Whatever goes wrong with it is told when its turn has come.
    if (value instanceof Promise) value.catch(() => {});
    const before = this.#tail ?? Promise.resolve();
    const tail = before.then(() => value).then(act).catch(fail).then(() => {
      if (this.#tail === tail) this.#tail = undefined;
    });
    this.#tail = tail;
  }
}
