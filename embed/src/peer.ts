// Somebody in the room: `Member` is the client's view of them, and `RoomPeer` the program's view.
import type {
  AskOptions,
  Call,
  CallSource,
  DecisionOptions,
  FileOptions,
  Json,
  Peer,
  PeerState,
  Presence,
  Sendable,
  Trust,
  UserInfo,
} from "../mqtt-rtc.js";
import type { Engine, PeerView, TrustDecision } from "./engine.js";
import { RTChatError } from "./errors.js";
import type { Files } from "./files.js";
import { type PendingCalls, SendQueue } from "./pending-calls.js";
import { OpenQuestions } from "./questions.js";
import { type Packed, isBlob, pack, toJson } from "./values.js";

const DEFAULT_TIMEOUT = 30_000;
/** The longest delay of a browser's timer. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** What begins calls, once it is loaded. */
interface Calling {
  get(): Promise<{ start(key: string, source?: CallSource): Promise<Call> }>;
}

/** The state that peers share with their client. */
export interface Shared {
  /** Missing if the program behind the module cannot run or has stopped working. */
  engine: Engine | undefined;
  readonly calls: PendingCalls;
  readonly files: Files;
  readonly calling: Calling;
}

/** A peer, as its client knows it. It belongs to one peer id, and therefore to one key, from beginning to end. */
export class Member {
  readonly peer: Peer;
  readonly questions = new OpenQuestions();
  view: PeerView;
  userInfo: UserInfo = {};
  /** Whether the peer has proved who it is and is not gone. */
  isConnected = false;
  isGone = false;
  /** What the program was told last of whether the person is at their page. */
  toldPresence: Presence | undefined;
  /** Whether the program has been told about the peer with its present name. */
  isAnnounced = false;
  readonly #shared: Shared;
  readonly #sendQueue = new SendQueue();

  constructor(view: PeerView, shared: Shared) {
    this.view = view;
    this.#shared = shared;
    this.peer = new RoomPeer(this, shared);
  }

  update(view: PeerView): void {
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

  /** Sends a value that is already packed or is being packed. */
  send(packed: Packed | Promise<Packed>, dm: boolean): Promise<void> {
    return this.#call(packed, (value, token) => {
      const { engine } = this.#shared;
      if ("json" in value) engine?.send(this.id, token, dm, value.json);
      else engine?.sendBytes(this.id, token, dm, value.kind, value.bytes);
    });
  }

  /** Asks a question whose content is `json` already. */
  ask(content: Json, json: string, { topic, timeout = DEFAULT_TIMEOUT, signal }: AskOptions): Promise<Json> {
    if (!(timeout > 0)) throw new TypeError('The option "timeout" should be a number of milliseconds above 0.');
    if (topic !== undefined && typeof topic !== "string") throw new TypeError('The option "topic" should be a text.');
    signal?.throwIfAborted();
    const { calls } = this.#shared;
    const milliseconds = Math.min(Math.ceil(timeout), MAX_TIMEOUT);
    let abort = (): void => {};
    const answer = this.#call<Json>(
      { json },
      (_, token) => this.#shared.engine?.ask(this.id, token, topic, json, milliseconds),
      content,
      (token) => {
        abort = () => {
          this.#shared.engine?.withdraw(token);
          calls.reject(token, signal?.reason);
        };
      },
    );
    if (!signal) return answer;
    signal.addEventListener("abort", abort);
    return answer.finally(() => signal.removeEventListener("abort", abort));
  }

  /** Sends a file. Values do not wait for it. */
  sendFile(blob: Blob, { name, onprogress, signal }: FileOptions): Promise<void> {
    if (!isBlob(blob)) throw new TypeError("A file should be a Blob or a File.");
    signal?.throwIfAborted();
    if (!this.isConnected) throw this.goneError();
    const { engine, calls, files } = this.#shared;
    let token = 0;
    const sending = calls.open<void>(this.id, (opened) => {
      token = opened;
      files.watch(token, blob.size, onprogress);
      engine?.sendFile(this.id, token, name ?? ("name" in blob ? String(blob.name) : "file"), blob);
    });
    const abort = (): void => {
      this.#shared.engine?.cancelFile(token);
      calls.reject(token, signal?.reason);
    };
    signal?.addEventListener("abort", abort);
    return sending.finally(() => {
      files.unwatch(token);
      signal?.removeEventListener("abort", abort);
    });
  }

  ping(): Promise<number> {
    return this.#call(undefined, (_, token) => this.#shared.engine?.ping(this.id, token));
  }

  /** Decides about the key of this peer. The room refuses this if the peer has another name than the person saw. */
  decide(decision: TrustDecision, { name = this.view.name }: DecisionOptions = {}): void {
    const { engine } = this.#shared;
    if (this.isGone || !engine) throw this.goneError();
    const refusal = engine.decideTrust(this.id, this.view.key, String(name), decision);
    if (refusal !== undefined) throw new RTChatError("refused", refusal);
  }

  /** Begins a call, after all earlier calls have been passed on. */
  #call<T, V = Packed | undefined>(
    value: V | Promise<V>,
    start: (value: V, token: number) => void,
    question?: unknown,
    opened?: (token: number) => void,
  ): Promise<T> {
    if (!this.isConnected) return Promise.reject(this.goneError());
    const { calls } = this.#shared;
    const open = (token: number): void => {
      opened?.(token);
      this.#sendQueue.put(
        this.#sendQueue.isBusy ? copyBytes(value) : value,
        (ready) => {
          if (calls.isOpen(token)) start(ready, token);
        },
        (error) => calls.reject(token, error),
      );
    };
    return calls.open(this.id, open, question);
  }
}

/** A value with its own bytes, so that it stays the same whatever the program does with its buffer meanwhile. */
function copyBytes<V>(value: V | Promise<V>): V | Promise<V> {
  if (value instanceof Promise || typeof value !== "object" || value === null || !("bytes" in value)) return value;
  return { ...value, bytes: (value.bytes as Uint8Array).slice() };
}

/** Whether a value is a `Peer` of this module, and not a name or something that looks like a peer. */
export function isPeer(value: unknown): value is Peer {
  return value instanceof RoomPeer;
}

class RoomPeer implements Peer {
  readonly #member: Member;
  readonly #shared: Shared;

  constructor(member: Member, shared: Shared) {
    this.#member = member;
    this.#shared = shared;
  }

  get user(): string {
    return this.#member.user;
  }

  get name(): string {
    return this.#member.view.name;
  }

  get userInfo(): UserInfo {
    return this.#member.userInfo;
  }

  get id(): string {
    return this.#member.id;
  }

  get key(): string {
    return this.#member.view.key;
  }

  get fingerprint(): string {
    return this.#member.view.fingerprint;
  }

  get state(): PeerState {
    return this.#member.isGone ? "gone" : this.#member.view.state;
  }

  get trust(): Trust {
    return this.#member.view.trust;
  }

  get presence(): Presence | undefined {
    return this.#member.view.presence;
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
    if (!this.#member.isGone) this.#shared.engine?.sayTo(this.id, String(text));
  }

  async call(source?: CallSource): Promise<Call> {
    const calls = await this.#shared.calling.get();
    if (this.#member.isGone) throw this.#member.goneError();
    return await calls.start(this.key, source);
  }

  async ping(): Promise<number> {
    return await this.#member.ping();
  }

  get muted(): boolean {
    return this.#member.view.muted;
  }

  listen(): void {
    if (!this.#member.isGone) this.#shared.engine?.listen(this.id);
  }

  disconnect(): void {
    if (!this.#member.isGone) this.#shared.engine?.disconnect(this.id);
  }

  async block(): Promise<void> {
    this.#member.decide("block");
  }

  async markVerified(options?: DecisionOptions): Promise<void> {
    this.#member.decide("verify", options);
  }

  async acceptKey(options?: DecisionOptions): Promise<void> {
    this.#member.decide("accept-key", options);
  }
}
