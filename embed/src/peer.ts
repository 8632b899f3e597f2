// Somebody in the room.
import type { AskOptions, FileOptions, Json, Peer, PeerState, Sendable, Trust, UserInfo } from "../mqtt-rtc.js";
import type { Calls } from "./calls.js";
import { Line } from "./calls.js";
import type { Engine, View } from "./engine.js";
import { RTChatError } from "./errors.js";
import type { Files } from "./files.js";
import { type Packed, isBlob, pack, toJson } from "./values.js";

const TIMEOUT = 30_000;
/** What a timer of the browser can hold. */
const LONGEST = 2 ** 31 - 1;

/** What peers need of their client. */
export interface House {
  /** Missing where the program behind the module cannot run, or has broken. */
  engine: Engine | undefined;
  readonly calls: Calls;
  readonly files: Files;
}

/** A peer, as its client knows it. */
export class Member {
  readonly peer: Peer;
  view: View;
  userInfo: UserInfo = {};
  /** Proved who it is, and is not gone. */
  connected = false;
  gone = false;
  /** The program has heard of it under its present name. */
  announced = false;
  readonly #house: House;
  readonly #line = new Line();

  constructor(view: View, house: House) {
    this.view = view;
    this.#house = house;
    this.peer = new ThePeer(this, house);
  }

  update(view: View): void {
    if (view.info !== undefined && view.info !== this.view.info) this.userInfo = JSON.parse(view.info) as UserInfo;
    this.view = view;
  }

  get id(): string {
    return this.view.id;
  }

  get user(): string {
    return this.view.user;
  }

  goneError(): RTChatError {
    return new RTChatError("gone", `${this.user} is not connected.`);
  }

  /** Sends what is packed, or will be. */
  send(packed: Packed | Promise<Packed>, dm: boolean): Promise<void> {
    return this.#call(packed, (value, token) => {
      const { engine } = this.#house;
      if ("json" in value) engine?.send(this.id, token, dm, value.json);
      else engine?.sendBytes(this.id, token, dm, value.kind, value.bytes);
    });
  }

  /** Asks what is JSON already. */
  ask(content: Json, json: string, { topic, timeout = TIMEOUT, signal }: AskOptions): Promise<Json> {
    if (!(timeout > 0)) throw new TypeError('The option "timeout" should be a number of milliseconds above 0.');
    if (topic !== undefined && typeof topic !== "string") throw new TypeError('The option "topic" should be a text.');
    signal?.throwIfAborted();
    const { calls } = this.#house;
    const patience = Math.min(Math.ceil(timeout), LONGEST);
    let abort = (): void => {};
    const answer = this.#call<Json>(
      { json },
      (_, token) => this.#house.engine?.ask(this.id, token, topic, json, patience),
      content,
      (token) => {
        abort = () => {
          this.#house.engine?.withdraw(token);
          calls.reject(token, signal?.reason);
        };
      },
    );
    if (!signal) return answer;
    signal.addEventListener("abort", abort);
    return answer.finally(() => signal.removeEventListener("abort", abort));
  }

  /** Sends a file, beside everything else. */
  sendFile(blob: Blob, { name, onprogress, signal }: FileOptions): Promise<void> {
    if (!isBlob(blob)) throw new TypeError("A file should be a Blob or a File.");
    signal?.throwIfAborted();
    if (!this.connected) throw this.goneError();
    const { engine, calls, files } = this.#house;
    let token = 0;
    const sending = calls.open<void>(this.id, (its) => {
      token = its;
      files.watch(token, blob.size, onprogress);
      engine?.sendFile(this.id, token, name ?? ("name" in blob ? String(blob.name) : "file"), blob);
    });
    const abort = (): void => {
      this.#house.engine?.cancelFile(token);
      calls.reject(token, signal?.reason);
    };
    signal?.addEventListener("abort", abort);
    return sending.finally(() => {
      files.unwatch(token);
      signal?.removeEventListener("abort", abort);
    });
  }

  ping(): Promise<number> {
    return this.#call(undefined, (_, token) => this.#house.engine?.ping(this.id, token));
  }

  /** Begins a call when everything before it is on its way. */
  #call<T, V = Packed | undefined>(
    value: V | Promise<V>,
    start: (value: V, token: number) => void,
    question?: unknown,
    opened?: (token: number) => void,
  ): Promise<T> {
    if (!this.connected) return Promise.reject(this.goneError());
    const { calls } = this.#house;
    const open = (token: number): void => {
      opened?.(token);
      this.#line.put(
        this.#line.isBusy ? kept(value) : value,
        (ready) => {
          if (calls.isOpen(token)) start(ready, token);
        },
        (error) => calls.reject(token, error),
      );
    };
    return calls.open(this.id, open, question);
  }
}

/** The same, whatever happens to the sender's buffer in the meantime. */
function kept<V>(value: V | Promise<V>): V | Promise<V> {
  if (value instanceof Promise || typeof value !== "object" || value === null || !("bytes" in value)) return value;
  return { ...value, bytes: (value.bytes as Uint8Array).slice() };
}

/** What the program sees of it. */
class ThePeer implements Peer {
  readonly #member: Member;
  readonly #house: House;

  constructor(member: Member, house: House) {
    this.#member = member;
    this.#house = house;
  }

  get user(): string {
    return this.#member.user;
  }

  get userInfo(): UserInfo {
    return this.#member.userInfo;
  }

  get id(): string {
    return this.#member.id;
  }

  get fingerprint(): string {
    return this.#member.view.fingerprint;
  }

  get state(): PeerState {
    return this.#member.gone ? "gone" : this.#member.view.state;
  }

  get trust(): Trust {
    return this.#member.view.trust;
  }

  async ask(content: Json, options: AskOptions = {}): Promise<Json> {
    return await this.#member.ask(content, toJson(content), options);
  }

  async send(data: Sendable): Promise<void> {
    return await this.#member.send(pack(data), false);
  }

  async dm(data: Sendable): Promise<void> {
    return await this.#member.send(pack(data), true);
  }

  async sendFile(blob: Blob, options: FileOptions = {}): Promise<void> {
    await this.#member.sendFile(blob, options);
  }

  chat(text: string): void {
    this.#house.engine?.say(this.id, String(text));
  }

  async ping(): Promise<number> {
    return await this.#member.ping();
  }

  disconnect(): void {
    this.#house.engine?.disconnect(this.id);
  }

  block(): void {
    this.#house.engine?.block(this.id);
  }

  markVerified(): void {
    this.#house.engine?.markVerified(this.id);
  }
}
