// Calls to the engine that have not been settled. The engine names each by its token when it reports the outcome.

interface PendingCall {
  /** The id of the peer whom the call is about. */
  peer: string;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
  /** The content of a question, for the event that reports its answer. */
  question: unknown;
}

const TOKENS = 2 ** 32;

/** The pending calls of one client. */
export class PendingCalls {
  readonly #pending = new Map<number, PendingCall>();
  #lastToken = 0;

  /** Begins a call about a peer. */
  open<T>(peer: string, start: (token: number) => void, question?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      do this.#lastToken = (this.#lastToken + 1) % TOKENS;
      while (this.#pending.has(this.#lastToken));
      const token = this.#lastToken;
      this.#pending.set(token, { peer, resolve, reject, question });
      try {
        start(token);
      } catch (error) {
        this.reject(token, error);
      }
    });
  }

  isOpen(token: number): boolean {
    return this.#pending.has(token);
  }

  /** Resolves a call and returns it. */
  resolve(token: number, value?: unknown): PendingCall | undefined {
    const call = this.#take(token);
    call?.resolve(value as never);
    return call;
  }

  reject(token: number, error: unknown): void {
    this.#take(token)?.reject(error);
  }

  /** Rejects all calls about a peer. */
  rejectAllOf(peer: string, error: () => Error): void {
    for (const [token, call] of this.#pending) {
      if (call.peer === peer) this.reject(token, error());
    }
  }

  #take(token: number): PendingCall | undefined {
    const call = this.#pending.get(token);
    this.#pending.delete(token);
    return call;
  }
}

/** Keeps the order of values that are sent to one peer, even if it takes time to read some of them. */
export class SendQueue {
  #tail: Promise<void> | undefined;

  /** Whether the next value has to wait. */
  get isBusy(): boolean {
    return this.#tail !== undefined;
  }

  /** Calls `act` with the value after everything before it, and synchronously if nothing has to be waited for. */
  put<T>(value: T | Promise<T>, act: (value: T) => void, fail: (error: unknown) => void): void {
    if (!this.#tail && !(value instanceof Promise)) return act(value);
    // A failure is reported when it is the value's turn.
    if (value instanceof Promise) value.catch(() => {});
    const before = this.#tail ?? Promise.resolve();
    const tail = before.then(() => value).then(act).catch(fail).then(() => {
      if (this.#tail === tail) this.#tail = undefined;
    });
    this.#tail = tail;
  }
}
