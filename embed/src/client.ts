// A room for programs: makes promises and events of what the engine tells.
import type * as api from "../mqtt-rtc.js";
import type { AskOptions, AskResult, Events, Json, Options, Peer, QuestionHandler, Sendable } from "../mqtt-rtc.js";
import { Calls } from "./calls.js";
import { type Engine, type Told, type View, broke, failure, makeEngine } from "./engine.js";
import { RTChatError, asError } from "./errors.js";
import { Handlers } from "./events.js";
import { Files } from "./files.js";
import { questionHandlers, toEngine } from "./options.js";
import { type House, Member } from "./peer.js";
import { pack, toJson, unpack } from "./values.js";

type HowToAsk = Omit<AskOptions, "topic"> | undefined;
type ToldOfPeer = "file" | "gone" | "chat" | "typing" | "value" | "question";

/** The wish to be in the room, as long as it lasts. */
interface Entering {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A room. It is entered at once. */
export class MQTTRTCClient implements api.MQTTRTCClient {
  readonly #handlers = new Handlers(this);
  readonly #topics: Map<string, QuestionHandler>;
  readonly #calls = new Calls();
  readonly #files = new Files((thrown) => this.#handlers.report(thrown));
  readonly #members = new Map<string, Member>();
  /** Those that wait for the program's decision. */
  readonly #asking = new Map<string, Member>();
  readonly #house: House;
  #status: api.Status = { state: "left", people: 0 };
  #entering: Entering | undefined;
  #name: string;
  #room: string;

  constructor(options: Options = {}) {
    const given = toEngine(options);
    this.#topics = new Map(questionHandlers(options));
    const engine = failure ? undefined : this.#make(given);
    this.#house = { engine, calls: this.#calls, files: this.#files };
    this.#name = options.name ?? "";
    this.#room = options.room ?? "";
    // Whoever wants to know asks for it with `connect`; everybody else has `error`.
    this.connect().catch(() => {});
  }

  get #engine(): Engine | undefined {
    return this.#house.engine;
  }

  #make(options: string): Engine {
    return typeErrors(() => makeEngine(options, (...told) => this.#heard(told)));
  }

  on<E extends keyof Events>(event: E, handler: Events[E]): this {
    return this.#add(event, handler, false);
  }

  once<E extends keyof Events>(event: E, handler: Events[E]): this {
    return this.#add(event, handler, true);
  }

  off<E extends keyof Events>(event: E, handler: Events[E]): this {
    this.#handlers.remove(event, handler);
    this.#askAboutAll();
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

  safetyNumber(user: string): string | undefined {
    const member = this.#find(user);
    return member && this.#engine?.safetyNumber(member.view.key);
  }

  async send(data: Sendable): Promise<void> {
    const packed = pack(data);
    await Promise.all(this.#connected().map((member) => member.send(packed, false)));
  }

  async ask(...values: [Json] | [topic: string | undefined, content: Json, options?: HowToAsk]): Promise<AskResult[]> {
    const [topic, content, options] = values.length === 1 ? [undefined, values[0]] : values;
    const json = toJson(content);
    const how: AskOptions = topic === undefined ? { ...options } : { ...options, topic };
    const answers = this.#connected().map(async (member): Promise<AskResult> => {
      const { peer } = member;
      try {
        const answer = await member.ask(content, json, how);
        return { user: peer.user, peer, ok: true, answer };
      } catch (error) {
        // What the caller did wrong is wrong for everybody.
        if (error instanceof TypeError) throw error;
        return { user: peer.user, peer, ok: false, error: asError(error) };
      }
    });
    return await Promise.all(answers);
  }

  chat(text: string): void {
    this.#engine?.say(undefined, String(text));
  }

  typing(): void {
    this.#engine?.typing();
  }

  addQuestionHandler(topic: string, handler: QuestionHandler): this {
    if (typeof topic !== "string") throw new TypeError("The topic should be a text.");
    if (typeof handler !== "function") throw new TypeError(`The handler for "${topic}" should be a function.`);
    this.#topics.set(topic, handler);
    return this;
  }

  changeName(name: string): void {
    if (!this.#engine) return;
    const engine = this.#engine;
    this.#name = typeErrors(() => engine.rename(String(name))) ?? String(name);
  }

  connect(): Promise<void> {
    if (this.#entering) return this.#entering.promise;
    const entering = {} as Entering;
    entering.promise = new Promise((resolve, reject) => Object.assign(entering, { resolve, reject }));
    this.#entering = entering;
    this.#setStatus({ state: "joining", people: 0 });
    if (this.#engine) {
      this.#engine.open();
    } else {
      queueMicrotask(() => this.#failed(failure?.message ?? ""));
    }
    return entering.promise;
  }

  disconnect(): void {
    const entering = this.#entering;
    if (!entering) return;
    this.#entering = undefined;
    this.#engine?.close();
    entering.reject(new RTChatError("gone", "The room was left."));
    this.#forgetEverybody();
    this.#setStatus({ state: "left", people: 0 });
  }

  stats(): api.Stats | undefined {
    return this.#engine?.stats() as api.Stats | undefined;
  }

  #add<E extends keyof Events>(event: E, handler: Events[E], once: boolean): this {
    this.#handlers.add(event, handler, once);
    this.#askAboutAll();
    // Who comes late is told what there is, though not from inside this call.
    const connected = this.#connected();
    const status = this.#status;
    queueMicrotask(() => {
      const late = <L extends keyof Events>(its: L, ...values: Parameters<Events[L]>): void =>
        this.#handlers.emitTo(handler as unknown as Events[L], its, ...values);
      if (event === "status" && status === this.#status) late("status", status);
      if (event === "connectionrequest") this.#askProgram();
      for (const member of connected.filter((member) => member.connected)) {
        if (event === "connectedtopeer") late("connectedtopeer", member.user, member.userInfo);
        if (event === "validation") late("validation", member.user, validation(member.view));
      }
    });
    return this;
  }

  /** A handler for requests is asked about everybody; without one the settings decide. */
  #askAboutAll(): void {
    this.#engine?.askAboutAll(this.#handlers.has("connectionrequest"));
  }

  #connected(): Member[] {
    return [...this.#members.values()].filter((member) => member.connected);
  }

  #find(user: string): Member | undefined {
    for (const members of [this.#members, this.#asking]) {
      for (const member of members.values()) if (member.user === user) return member;
    }
    return undefined;
  }

  #heard(told: Told): void {
    try {
      this.#take(told);
    } catch (error) {
      this.#handlers.report(error);
    }
  }

  #take(told: Told): void {
    switch (told[0]) {
      case "opened":
        return this.#opened(told[1]);
      case "failed":
        return this.#failed(told[1]);
      case "broke":
        return this.#broke(told[1]);
      case "outdated":
        return this.#forgetEverybody();
      case "notice":
        return console.warn(told[1]);
      case "refused":
        return this.#handlers.report(new RTChatError("refused", told[1]));
      case "status":
        return this.#setStatus(told[1]);
      case "peer":
        return this.#changed(told[1]);
      case "request":
        return this.#requested(told[1]);
      case "withdrawn":
        this.#asking.delete(told[1]);
        return;
      case "unproven":
        return this.#handlers.emit("validationfailure", told[2], told[3]);
      case "taken":
        for (let token = told[1]; token <= told[2]; token += 1) this.#calls.resolve(token);
        return;
      case "nottaken":
        return this.#calls.reject(told[1], new RTChatError(told[2], told[3]));
      case "pong":
        this.#calls.resolve(told[1], told[2]);
        return;
      case "fileprogress":
        return this.#files.progressed(told[1], told[2], told[3]);
      case "filedone":
        if (told[1]) this.#calls.resolve(told[2]);
        else this.#files.done(told[2]);
        return;
      case "filefailed": {
        const error = new RTChatError(told[3], told[4]);
        return told[1] ? this.#calls.reject(told[2], error) : this.#files.failed(told[2], error);
      }
      case "answered":
        return this.#answered(told[1], told[2], told[3]);
      default: {
        const member = this.#members.get(told[1]);
        if (member) this.#takeFrom(member, told);
      }
    }
  }

  #takeFrom(member: Member, told: Extract<Told, [ToldOfPeer, ...unknown[]]>): void {
    switch (told[0]) {
      case "gone":
        return this.#gone(member, told[2]);
      case "chat":
        return this.#handlers.emit("chat", told[2], member.user);
      case "typing":
        return this.#handlers.emit("typing", member.user);
      case "value": {
        const value = unpack(told[3], told[4], told[5]);
        return this.#handlers.emit(told[2] ? "dm" : "data", value, member.user);
      }
      case "file":
        return this.#offered(member, told[2], told[3], told[4], told[5]);
      case "question":
        void this.#answer(member, told[2], told[3], JSON.parse(told[4]) as Json);
    }
  }

  #offered(member: Member, number: number, name: string, size: number, type: string): void {
    const engine = this.#engine;
    if (!engine) return;
    const file = this.#files.offered(engine, member.id, number, name, size, type);
    if (this.#handlers.has("file")) this.#handlers.emit("file", file, member.user);
    else file.refuse("No program takes files here.");
  }

  #opened({ user, room }: { user: string; room: string }): void {
    this.#name = user;
    this.#room = room;
    this.#entering?.resolve();
  }

  #failed(why: string): void {
    const entering = this.#entering;
    if (!entering) return;
    this.#entering = undefined;
    const error = new RTChatError("unavailable", why);
    entering.reject(error);
    this.#forgetEverybody();
    this.#setStatus({ state: "failed", people: 0 });
    this.#handlers.report(error);
  }

  /** Called out of the midst of it, so nothing that calls it again may happen now. */
  #broke(reason: string): void {
    this.#house.engine = undefined;
    const why = broke(reason);
    queueMicrotask(() => this.#failed(why));
  }

  #setStatus(status: api.Status): void {
    if (status.state === this.#status.state && status.people === this.#status.people && !status.retryAt) {
      if (status.reconnecting === this.#status.reconnecting) return;
    }
    this.#status = status;
    this.#handlers.emit("status", status);
  }

  /** A peer appeared, or something about it changed. */
  #changed(view: View): void {
    const member = this.#members.get(view.id) ?? this.#asking.get(view.id) ?? this.#member(view);
    this.#asking.delete(view.id);
    this.#members.set(view.id, member);
    this.#update(member, view);
    if (view.state === "verified" && !member.connected) {
      member.connected = true;
      member.announced = true;
      this.#handlers.emit("validation", member.user, validation(view));
      this.#handlers.emit("connectedtopeer", member.user, member.userInfo);
    }
  }

  #update(member: Member, view: View): void {
    const before = member.user;
    member.update(view);
    if (member.announced && member.user !== before) this.#handlers.emit("namechange", before, member.user);
  }

  #member(view: View): Member {
    return new Member(view, this.#house);
  }

  #requested(view: View): void {
    this.#asking.set(view.id, this.#asking.get(view.id) ?? this.#member(view));
    this.#askProgram();
  }

  /** Asks about everybody who has not been asked about yet, if there is anybody to ask. */
  #askProgram(): void {
    if (!this.#handlers.has("connectionrequest")) return;
    for (const member of this.#asking.values()) {
      if (!member.announced) void this.#ask(member);
    }
  }

  async #ask(member: Member): Promise<void> {
    member.announced = true;
    let accept = true;
    for (const result of this.#handlers.results("connectionrequest", member.user, member.userInfo)) {
      try {
        if (!(await result)) accept = false;
      } catch (error) {
        accept = false;
        this.#handlers.report(error);
      }
    }
    this.#askAboutAll();
    this.#engine?.decide(member.id, accept);
    if (!accept) this.#asking.delete(member.id);
  }

  #gone(member: Member, reason: api.GoneReason): void {
    this.#members.delete(member.id);
    const wasConnected = member.connected;
    member.gone = true;
    member.connected = false;
    this.#calls.rejectAllOf(member.id, () => member.goneError());
    this.#files.failAllOf(member.id, () => member.goneError());
    if (wasConnected) this.#handlers.emit("disconnectedfrompeer", member.user, reason);
  }

  #forgetEverybody(): void {
    this.#asking.clear();
    for (const member of [...this.#members.values()]) this.#gone(member, "disconnected");
  }

  #answered(token: number, code: api.ErrorCode | undefined, text: string): void {
    if (code !== undefined) return this.#calls.reject(token, new RTChatError(code, text));
    const answer = JSON.parse(text) as Json;
    const call = this.#calls.resolve(token, answer);
    const member = call && this.#members.get(call.peer);
    if (member) this.#handlers.emit("answer", answer, member.user, { question: call.question as Json });
  }

  /** Lets the program answer a question, and tells the asker what came of it. */
  async #answer(member: Member, question: string, topic: string | undefined, content: Json): Promise<void> {
    try {
      const json = toJson((await this.#answerOf(member, topic, content)) ?? null);
      this.#engine?.answer(member.id, question, json, "");
    } catch (thrown) {
      const error = asError(thrown);
      this.#engine?.answer(member.id, question, undefined, error.message || error.name);
      if (!(error instanceof Unanswered)) this.#handlers.report(error);
    }
  }

  async #answerOf(member: Member, topic: string | undefined, content: Json): Promise<unknown> {
    const values = [content, member.user, { topic, peer: member.peer }] as const;
    const handler = topic === undefined ? undefined : this.#topics.get(topic);
    if (handler) return await handler.apply(this, [...values]);
    const results = this.#handlers.results("question", ...values);
    if (results.length === 0) throw new Unanswered("Nobody answers such questions here.");
    const answers = await Promise.all(results);
    return answers.find((answer) => answer !== undefined);
  }
}

/** Nobody's mistake. */
class Unanswered extends Error {}

function validation({ fingerprint, trust }: View): api.Validation {
  return { fingerprint, known: trust === "known" || trust === "verified", verified: trust === "verified" };
}

/** Does it, and throws a `TypeError` where the engine says that something does not fit. */
function typeErrors<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    const { code, message } = thrown as { code?: unknown; message: string };
    throw code === "option" ? new TypeError(message) : thrown;
  }
}
