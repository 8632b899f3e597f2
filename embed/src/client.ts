// The client: turns the events of the engine into promises and events for the program.
import type * as api from "../mqtt-rtc.js";
import type { AskOptions, AskResult, Events, Json, Options, Peer, QuestionHandler, Sendable } from "../mqtt-rtc.js";
import type { Command, View } from "../calls/contract.ts";
import { Answering } from "./answering.ts";
import { Attachments, described } from "./attachments.js";
import { Calling } from "./calling.ts";
import { type Engine, type EngineEvent, type EngineFile, type PeerView, failure, makeEngine } from "./engine.js";
import { RTChatError, asError } from "./errors.js";
import { Handlers } from "./events.js";
import { removeLeftovers } from "./file-store.js";
import { type FileOffer, Files } from "./files.js";
import { questionHandlers, toEngine } from "./options.js";
import { Member, type Shared, isPeer } from "./peer.js";
import { PendingCalls } from "./pending-calls.js";
import { Requests } from "./requests.ts";
import { isBlob, pack, toJson, unpack } from "./values.js";

type OptionsWithoutTopic = Omit<AskOptions, "topic"> | undefined;
type PeerEventKind = "file" | "gone" | "typing" | "unreadable" | "value" | "question";

/** A message as the engine describes it: its time is a number. */
type EngineMessage = Omit<api.Message, "at" | "file"> & { at: number; file: EngineFile | undefined };

const fromEngine = ({ at, file, ...message }: EngineMessage): api.Message => ({ ...message, at: new Date(at), file: file && described(file) });

/** How it stands with calls outside of a room. */
const NO_CALLS = '{"allowed":"video","people":{},"rings":[],"running":[],"shares":[]}';

/** The attempt to be in the room, from `connect` to `disconnect`. */
interface Attempt {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A room. It is entered at once. */
export class MQTTRTCClient implements api.MQTTRTCClient {
  readonly #handlers = new Handlers(this);
  readonly #answering: Answering;
  readonly #calls = new PendingCalls();
  readonly #files: Files;
  readonly #attachments: Attachments;
  readonly #calling: Calling;
  readonly #members = new Map<string, Member>();
  readonly #requests = new Requests({
    handlers: this.#handlers,
    engine: () => this.#engine,
    member: (view) => this.#member(view),
  });
  readonly #shared: Shared;
  #status: api.Status = { state: "left", people: 0 };
  #attempt: Attempt | undefined;
  #name: string;
  #room: string;

  constructor(options: Options = {}) {
    const given = toEngine(options);
    this.#answering = new Answering(this, this.#handlers, questionHandlers(options));
    const engine = failure ? undefined : this.#makeEngine(given);
    const mayWriteToDisk = options.storage !== "memory";
    this.#files = new Files(mayWriteToDisk, (thrown) => this.#handlers.report(thrown));
    this.#attachments = new Attachments((thrown) => this.#handlers.report(thrown));
    if (mayWriteToDisk) removeLeftovers();
    this.#calling = this.#makeCalling();
    this.#shared = { engine, calls: this.#calls, files: this.#files, calling: this.#calling };
    this.#name = options.name ?? "";
    this.#room = options.room ?? "";
    // The promise is for programs that call `connect` themselves. Others learn of a failure through `error`.
    this.connect().catch(() => {});
  }

  get #engine(): Engine | undefined {
    return this.#shared.engine;
  }

  #makeEngine(options: string): Engine {
    return typeErrors(() => makeEngine(options, (...event) => this.#receive(event)));
  }

  #makeCalling(): Calling {
    const error = (code: api.ErrorCode, sentence: string): RTChatError => new RTChatError(code, sentence);
    return new Calling({
      handlers: this.#handlers,
      member: (id) => this.#members.get(id),
      withKey: (key) => this.#connected().find((member) => member.view.key === key),
      provide: (adapter) => this.#engine?.provideCalls(adapter),
      command: (command: Command) => {
        const refusal = this.#present.callCommand(JSON.stringify(command));
        if (refusal !== undefined) throw error("refused", refusal);
      },
      view: () => JSON.parse(this.#engine?.callsView() ?? NO_CALLS) as View,
      error,
    });
  }

  on<E extends keyof Events>(event: E, handler: Events[E]): this {
    return this.#add(event, handler, false);
  }

  once<E extends keyof Events>(event: E, handler: Events[E]): this {
    return this.#add(event, handler, true);
  }

  off<E extends keyof Events>(event: E, handler: Events[E]): this {
    this.#handlers.remove(event, handler);
    this.#requests.askAboutAll();
    return this;
  }

  getPeer(user: string): Peer | undefined {
    return this.#find(user)?.peer;
  }

  get peers(): Peer[] {
    return this.#connected().map((member) => member.peer);
  }

  get users(): string[] {
    return this.#connected().map((member) => member.user);
  }

  get name(): string {
    return this.#name;
  }

  get room(): string {
    return this.#room;
  }

  safetyNumber(peer: Peer): string | undefined {
    if (!isPeer(peer)) throw new TypeError("A safety number belongs to a Peer: a name may pass to somebody else.");
    return this.#engine?.safetyNumber(peer.key);
  }

  async send(data: Sendable): Promise<void> {
    const packed = pack(data);
    await Promise.all(this.#connected().map((member) => member.send(packed, false)));
  }

  async ask(
    ...values: [Json] | [topic: string | undefined, content: Json, options?: OptionsWithoutTopic]
  ): Promise<AskResult[]> {
    const [topic, content, options] = values.length === 1 ? [undefined, values[0]] : values;
    const json = toJson(content);
    const askOptions: AskOptions = topic === undefined ? { ...options } : { ...options, topic };
    const answers = this.#connected().map(async (member): Promise<AskResult> => {
      const { peer } = member;
      try {
        const answer = await member.ask(content, json, askOptions);
        return { user: peer.user, peer, ok: true, answer };
      } catch (error) {
        // A mistake of the caller concerns every peer.
        if (error instanceof TypeError) throw error;
        return { user: peer.user, peer, ok: false, error: asError(error) };
      }
    });
    return await Promise.all(answers);
  }

  chat(text: string): void {
    this.say(text);
  }

  say(text: string, options: api.SayOptions = {}): void {
    const { conversation, replyTo } = options;
    typeErrors(() => this.#engine?.say(conversation, String(text), replyTo));
  }

  async sendFile(blob: Blob, options: api.SayFileOptions = {}): Promise<string> {
    if (!isBlob(blob)) throw new TypeError("A file should be a Blob or a File.");
    const { conversation, name, text = "", replyTo } = options;
    const called = name ?? ("name" in blob ? String(blob.name) : "file");
    const saying = typeErrors(() => this.#present.sayFile(conversation, blob, called, String(text), replyTo));
    try {
      return (await saying) as string;
    } catch (thrown) {
      const { code, message } = thrown as RTChatError;
      throw code ? new RTChatError(code, message) : thrown;
    }
  }

  async fetchFile(file: api.AttachedFile, options: api.AcceptOptions = {}): Promise<api.ReceivedFile> {
    return await this.#attachments.fetch(this.#present, file, options);
  }

  /** The engine, for what cannot be done without one. */
  get #present(): Engine {
    if (this.#engine) return this.#engine;
    throw new RTChatError("unavailable", failure?.message ?? "The program behind the module has stopped working.");
  }

  edit(id: string, text: string): void {
    this.#engine?.edit(String(id), String(text));
  }

  retract(id: string): void {
    this.#engine?.retract(String(id));
  }

  retry(id: string): void {
    this.#engine?.retry(String(id));
  }

  react(id: string, emoji: string, on = true): void {
    this.#engine?.react(String(id), String(emoji), Boolean(on));
  }

  get conversations(): api.Conversation[] {
    return (this.#engine?.conversations() ?? []) as api.Conversation[];
  }

  async history(options: api.HistoryOptions = {}): Promise<api.Message[]> {
    const { conversation, before, limit = 50 } = options;
    const found = typeErrors(() => this.#engine?.history(conversation, before, Number(limit)));
    return ((found ?? []) as EngineMessage[]).map(fromEngine);
  }

  typing(): void {
    this.#engine?.typing();
  }

  async call(source?: api.CallSource, options: api.CallOptions = {}): Promise<api.Call> {
    const calls = await this.#calling.get();
    const conversation = options.conversation ?? this.conversations[0]?.id;
    if (conversation === undefined) throw new RTChatError("gone", "The room was left.");
    return await calls.start(String(conversation), source);
  }

  callUser(user: string | Peer, source?: api.CallSource): api.CallPromises {
    const talk = this.#calling.get().then((calls) => calls.with(this.#somebody(user), source));
    const start = talk.then((talk) => talk.start);
    const end = talk.then((talk) => talk.end);
    for (const promise of [start, end]) promise.catch(() => {});
    return { start, end };
  }

  endCallWithUser(user: string | Peer): void {
    this.#calling.loaded?.endWith(this.#somebody(user));
  }

  async broadcast(source?: api.CallSource, options?: api.BroadcastOptions): Promise<api.Broadcast> {
    return await (await this.#calling.get()).broadcast(source, options);
  }

  async watch(peer: Peer): Promise<MediaStream> {
    const calls = await this.#calling.get();
    return await calls.watch(this.#somebody(peer));
  }

  unwatch(peer: Peer): void {
    this.#calling.loaded?.unwatch(this.#somebody(peer).id);
  }

  showAt(peer: Peer, height: { camera?: number; screen?: number }): void {
    this.#calling.loaded?.showAt(this.#somebody(peer).id, height);
  }

  /** A peer who is here, also by the name that somebody has now. */
  #somebody(user: string | Peer): Member {
    const member = isPeer(user) ? this.#members.get(user.id) : this.#connected().find((member) => member.user === user);
    if (member) return member;
    throw new RTChatError("gone", `${isPeer(user) ? user.user : String(user)} is not connected.`);
  }

  addQuestionHandler(topic: string, handler: QuestionHandler): this {
    this.#answering.add(topic, handler);
    return this;
  }

  changeName(name: string): void {
    if (!this.#engine) return;
    const engine = this.#engine;
    this.#name = typeErrors(() => engine.rename(String(name))) ?? String(name);
  }

  connect(): Promise<void> {
    if (this.#attempt) return this.#attempt.promise;
    const attempt = {} as Attempt;
    attempt.promise = new Promise((resolve, reject) => Object.assign(attempt, { resolve, reject }));
    this.#attempt = attempt;
    this.#setStatus({ state: "joining", people: 0 });
    if (this.#engine) {
      this.#engine.open();
    } else {
      queueMicrotask(() => this.#failed(failure?.message ?? ""));
    }
    return attempt.promise;
  }

  disconnect(): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#attempt = undefined;
    this.#engine?.close();
    attempt.reject(new RTChatError("gone", "The room was left."));
    this.#forgetEverybody();
    this.#setStatus({ state: "left", people: 0 });
  }

  stats(): api.Stats | undefined {
    return this.#engine?.stats() as api.Stats | undefined;
  }

  #add<E extends keyof Events>(event: E, handler: Events[E], once: boolean): this {
    this.#handlers.add(event, handler, once);
    this.#requests.askAboutAll();
    // A handler that is added late is told the present state, but not from inside of this call.
    const connected = this.#connected();
    const status = this.#status;
    queueMicrotask(() => {
      const late = <L extends keyof Events>(event: L, ...values: Parameters<Events[L]>): void =>
        this.#handlers.emitTo(handler as unknown as Events[L], event, ...values);
      if (event === "status" && status === this.#status) late("status", status);
      if (event === "connectionrequest") this.#requests.askProgram();
      this.#calling.added(event, handler);
      for (const member of connected.filter((member) => member.isConnected)) {
        const { user, userInfo, peer } = member;
        if (event === "connectedtopeer") late("connectedtopeer", user, userInfo, peer);
        if (event === "validation") late("validation", user, validation(member.view), peer);
        if (event === "presence" && member.toldPresence) late("presence", user, member.toldPresence, peer);
      }
    });
    return this;
  }

  #connected(): Member[] {
    return [...this.#members.values()].filter((member) => member.isConnected);
  }

  #find(user: string): Member | undefined {
    return [...this.#members.values(), ...this.#requests.members].find((member) => member.user === user);
  }

  #receive(event: EngineEvent): void {
    try {
      this.#handle(event);
    } catch (error) {
      this.#handlers.report(error);
    }
  }

  #handle(event: EngineEvent): void {
    switch (event[0]) {
      case "opened":
        return this.#opened(event[1]);
      case "failed":
        return this.#failed(event[1]);
      case "broke":
        return this.#crashed(event[1]);
      case "outdated":
        return this.#forgetEverybody();
      case "notice":
        return console.warn(event[1]);
      case "refused":
        return this.#handlers.report(new RTChatError("refused", event[1]));
      case "status":
        return this.#setStatus(event[1]);
      case "peer":
        return this.#changed(event[1]);
      case "request":
        return this.#requests.add(event[1]);
      case "withdrawn":
        return this.#requests.withdraw(event[1]);
      case "validationfailure":
        return this.#validationFailed(event[1], event[2]);
      case "sent":
        for (let token = event[1]; token <= event[2]; token += 1) this.#calls.resolve(token);
        return;
      case "sendfailed":
        return this.#calls.reject(event[1], new RTChatError(event[2], event[3]));
      case "pong":
        this.#calls.resolve(event[1], event[2]);
        return;
      case "fileprogress":
        return this.#files.progressed(event[1], event[2], event[3]);
      case "filedone":
        if (event[1]) this.#calls.resolve(event[2]);
        else this.#files.done(event[2]);
        return;
      case "filefailed": {
        const error = new RTChatError(event[3], event[4]);
        return event[1] ? this.#calls.reject(event[2], error) : this.#files.failed(event[2], error);
      }
      case "calls":
        return this.#calling.changed(JSON.parse(event[1]) as View);
      case "called":
        return this.#calling.loaded?.called(event[1], event[2]);
      case "attachment":
        return this.#attachments.changed(event[1], event[2], event[3], event[4], event[5]);
      case "message":
      case "messagechange":
        return this.#said(event[0], fromEngine(event[1]), event[2]);
      case "delivery": {
        const [, id, sent, delivered, of] = event;
        return this.#handlers.emit("delivery", id, { sent, delivered, of, failed: undefined });
      }
      case "unsaid":
        return this.#handlers.emit("delivery", event[1], { sent: 0, delivered: 0, of: 0, failed: event[2] });
      case "answered":
        return this.#answered(event[1], event[2], event[3]);
      default: {
        const member = this.#members.get(event[1]);
        if (member) this.#handleFrom(member, event);
      }
    }
  }

  #handleFrom(member: Member, event: Extract<EngineEvent, [PeerEventKind, ...unknown[]]>): void {
    const { user, peer } = member;
    switch (event[0]) {
      case "gone":
        return this.#gone(member, event[2]);
      case "typing":
        return this.#handlers.emit("typing", user, peer);
      case "unreadable":
        return this.#handlers.emit("unreadable", user, event[2], peer);
      case "value": {
        const value = unpack(event[3], event[4], event[5]);
        return this.#handlers.emit(event[2] ? "dm" : "data", value, user, peer);
      }
      case "file":
        return this.#offered(member, { file: event[2], name: event[3], size: event[4], type: event[5] });
      case "question":
        void this.#answering.answer(() => this.#engine, member, event[2], event[3], event[4]);
    }
  }

  #said(event: "message" | "messagechange", message: api.Message, id: string | undefined): void {
    const peer = id === undefined ? undefined : this.#members.get(id)?.peer;
    this.#handlers.emit(event, message, peer);
    // The event is for what others say from now on: neither for messages from before we came, nor for our own.
    const isText = message.text !== "" || message.file === undefined;
    const isChat = event === "message" && isText && !message.caughtUp && peer !== undefined;
    if (isChat) this.#handlers.emit("chat", message.text, message.sender, peer);
  }

  #offered(member: Member, offer: FileOffer): void {
    const engine = this.#engine;
    if (!engine) return;
    const file = this.#files.offered(engine, member.id, offer);
    if (this.#handlers.has("file")) this.#handlers.emit("file", file, member.user, member.peer);
    else file.refuse("No program takes files here.");
  }

  #opened({ user, room }: { user: string; room: string }): void {
    this.#name = user;
    this.#room = room;
    this.#attempt?.resolve();
  }

  #failed(reason: string): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#attempt = undefined;
    const error = new RTChatError("unavailable", reason);
    attempt.reject(error);
    this.#forgetEverybody();
    this.#setStatus({ state: "failed", people: 0 });
    this.#handlers.report(error);
  }

  /** The program has stopped. This may happen in the middle of one of its calls, so handlers are called later. */
  #crashed(sentence: string): void {
    this.#shared.engine = undefined;
    queueMicrotask(() => this.#failed(sentence));
  }

  #setStatus(status: api.Status): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    this.#handlers.emit("status", status);
  }

  /** A peer appeared, or something about it changed. */
  #changed(view: PeerView): void {
    const requested = this.#requests.take(view.id);
    const member = this.#members.get(view.id) ?? requested ?? this.#member(view);
    this.#members.set(view.id, member);
    const { state: before, muted } = member.view;
    this.#update(member, view);
    if (view.state === "no-path" && before !== "no-path") this.#handlers.report(noPath(view.user));
    if (view.muted && !muted) {
      this.#handlers.report(new RTChatError("muted", `${view.user} is sending too much and is muted.`));
    }
    if (view.state === "verified" && !member.isConnected) {
      member.isConnected = true;
      member.isAnnounced = true;
      this.#handlers.emit("validation", member.user, validation(view), member.peer);
      this.#handlers.emit("connectedtopeer", member.user, member.userInfo, member.peer);
    }
    this.#tellPresence(member);
  }

  /** Tells whether the person is at their page, once they are connected and it is news. */
  #tellPresence(member: Member): void {
    const { presence } = member.view;
    if (!member.isConnected || presence === undefined || presence === member.toldPresence) return;
    member.toldPresence = presence;
    this.#handlers.emit("presence", member.user, presence, member.peer);
  }

  #update(member: Member, view: PeerView): void {
    const before = member.user;
    member.update(view);
    if (member.isAnnounced && member.user !== before) {
      this.#handlers.emit("namechange", before, member.user, member.peer);
    }
  }

  #member(view: PeerView): Member {
    return new Member(view, this.#shared);
  }

  #validationFailed(view: PeerView, reason: string): void {
    let member = this.#members.get(view.id);
    if (!member) {
      // Nothing can be decided about somebody who only claimed to be here.
      member = this.#member(view);
      member.isGone = true;
    }
    this.#handlers.emit("validationfailure", view.user, reason, member.peer);
  }

  #gone(member: Member, reason: api.GoneReason): void {
    this.#members.delete(member.id);
    const wasConnected = member.isConnected;
    member.isGone = true;
    member.isConnected = false;
    this.#calls.rejectAllOf(member.id, () => member.goneError());
    this.#files.failAllOf(member.id, () => member.goneError());
    if (wasConnected) this.#handlers.emit("disconnectedfrompeer", member.user, reason, member.peer);
  }

  #forgetEverybody(): void {
    this.#calling.forget();
    this.#attachments.forget();
    this.#requests.forget();
    for (const member of [...this.#members.values()]) this.#gone(member, "disconnected");
  }

  #answered(token: number, code: api.ErrorCode | undefined, text: string): void {
    if (code !== undefined) return this.#calls.reject(token, new RTChatError(code, text));
    const answer = JSON.parse(text) as Json;
    const call = this.#calls.resolve(token, answer);
    const member = call && this.#members.get(call.peer);
    if (!member) return;
    this.#handlers.emit("answer", answer, member.user, { question: call.question as Json }, member.peer);
  }
}

function validation({ fingerprint, trust }: PeerView): api.Validation {
  return { fingerprint, known: trust === "known" || trust === "verified", verified: trust === "verified" };
}

/** Calls `act`, and throws a `TypeError` where the engine refuses an option. */
function typeErrors<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    const { code, message } = thrown as { code?: unknown; message: string };
    throw code === "option" ? new TypeError(message) : thrown;
  }
}

function noPath(user: string): RTChatError {
  return new RTChatError(
    "no-path",
    `No direct connection to ${user}: this network or theirs does not allow one. It is tried further. Another network may help; so does a TURN server (iceServers).`,
  );
}
