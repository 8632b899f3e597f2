// Event handlers. An error that a handler throws is reported to the handlers of `error`, and stops nothing else.
import type { Events } from "../mqtt-rtc.js";
import { asError } from "./errors.js";

const NAMES: { [E in keyof Events]: true } = {
  connectionrequest: true,
  connectedtopeer: true,
  disconnectedfrompeer: true,
  question: true,
  answer: true,
  chat: true,
  message: true,
  messagechange: true,
  delivery: true,
  dm: true,
  data: true,
  file: true,
  call: true,
  callconnected: true,
  callended: true,
  callchange: true,
  stream: true,
  streamended: true,
  track: true,
  broadcast: true,
  broadcastended: true,
  watchers: true,
  watchrequest: true,
  typing: true,
  unreadable: true,
  presence: true,
  namechange: true,
  validation: true,
  validationfailure: true,
  status: true,
  error: true,
};

/** An event's arguments. */
export type Arguments<E extends keyof Events> = Parameters<Events[E]>;

interface Entry {
  handler: (...values: never[]) => unknown;
  once: boolean;
}

/** The handlers of one client. */
export class Handlers {
  readonly #entries = new Map<string, Entry[]>();
  readonly #self: unknown;

  /** `self` is `this` inside of handlers. */
  constructor(self: unknown) {
    this.#self = self;
  }

  add<E extends keyof Events>(event: E, handler: Events[E], once: boolean): void {
    if (!Object.hasOwn(NAMES, event)) {
      const names = Object.keys(NAMES).join(", ");
      throw new TypeError(`There is no event "${String(event)}"; there are ${names}.`);
    }
    if (typeof handler !== "function") throw new TypeError(`The handler for "${event}" should be a function.`);
    this.#entries.set(event, [...this.#of(event), { handler, once }]);
  }

  remove<E extends keyof Events>(event: E, handler: Events[E]): void {
    const entries = [...this.#of(event)];
    const at = entries.findIndex((entry) => entry.handler === handler);
    if (at < 0) return;
    entries.splice(at, 1);
    this.#entries.set(event, entries);
  }

  has(event: keyof Events): boolean {
    return this.#of(event).length > 0;
  }

  /** Calls all handlers. */
  emit<E extends keyof Events>(event: E, ...values: Arguments<E>): void {
    for (const entry of this.#of(event)) void this.#call(event, entry, values).catch((error) => this.report(error));
  }

  /** Calls one handler that was added late, if it has not been removed again. */
  emitTo<E extends keyof Events>(handler: Events[E], event: E, ...values: Arguments<E>): void {
    const entry = this.#of(event).find((entry) => entry.handler === handler);
    if (entry) void this.#call(event, entry, values).catch((error) => this.report(error));
  }

  /** Calls all handlers, and returns what each of them returned. */
  results<E extends keyof Events>(event: E, ...values: Arguments<E>): Promise<unknown>[] {
    return this.#of(event).map((entry) => this.#call(event, entry, values));
  }

  /** Reports an error that nobody waits for. */
  report(thrown: unknown): void {
    const error = asError(thrown);
    const entries = this.#of("error");
    if (entries.length === 0) console.error(error);
    for (const entry of entries) {
      // Not through `emit`, which would report an error handler's own error to itself.
      this.#call("error", entry, [error]).catch((worse) => console.error(worse));
    }
  }

  async #call<E extends keyof Events>(event: E, entry: Entry, values: Arguments<E>): Promise<unknown> {
    if (entry.once) this.remove(event, entry.handler as Events[E]);
    return await entry.handler.apply(this.#self, values as unknown as never[]);
  }

  #of(event: keyof Events): readonly Entry[] {
    return this.#entries.get(event) ?? [];
  }
}
