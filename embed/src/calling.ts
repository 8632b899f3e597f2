// Calls and broadcasts: loads what they need (calls.ts) with the first of them.
import type { View } from "../calls/contract.ts";
import type { Events } from "../mqtt-rtc.js";
import type { CallHost } from "./call-host.ts";
import type { Calls } from "./calls.ts";

/** The events of calls and broadcasts. */
const EVENTS = [
  "call",
  "callconnected",
  "callended",
  "callchange",
  "stream",
  "streamended",
  "track",
  "broadcast",
  "broadcastended",
  "watchers",
  "watchrequest",
] as const satisfies (keyof Events)[];

/** The calls of one client. */
export class Calling {
  readonly #host: CallHost;
  #view: View | undefined;
  #loading: Promise<Calls> | undefined;
  #calls: Calls | undefined;

  constructor(host: CallHost) {
    this.#host = host;
  }

  /** Loads what calls need. Rejected if that is not possible; the next call tries again. */
  get(): Promise<Calls> {
    this.#loading ??= this.#load().catch((error) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #load(): Promise<Calls> {
    const { Calls } = await import("./calls.ts");
    this.#calls = new Calls(this.#host);
    if (this.#view) this.#calls.changed(this.#view);
    return this.#calls;
  }

  /** What there is, if it has been loaded. */
  get loaded(): Calls | undefined {
    return this.#calls;
  }

  /** It stands in another way with calls. */
  changed(view: View): void {
    this.#view = view;
    if (this.#calls) this.#calls.changed(view);
    else this.#look();
  }

  /** A handler was added. */
  added<E extends keyof Events>(event: E, handler: Events[E]): void {
    if (this.#calls) this.#calls.late(event, handler);
    else this.#look();
  }

  /** Loads what calls need if there is something that a handler of the program is for. */
  #look(): void {
    const { rings = [], running = [], shares = [] } = this.#view ?? {};
    const isThere = rings.length + running.length + shares.length > 0;
    if (isThere && EVENTS.some((event) => this.#host.handlers.has(event))) this.get().catch((error) => this.#host.handlers.report(error));
  }

  /** The room was left, or is being entered anew. */
  forget(): void {
    this.#view = undefined;
    this.#calls?.forget();
  }
}
