// Calls and broadcasts of a program. The room decides, and this tells the program of it and holds what is sent. It is loaded with
// the first call, and uses nothing of the module's own files but types, so that they stay whole.
import type { Command, OwnCall, View } from "../calls/contract.ts";
import { type Media, Refused, isStream, open } from "../calls/plain.ts";
import type * as api from "../mqtt-rtc.js";
import type { CallHost } from "./call-host.ts";
import { type Kinds, RoomBroadcast, RoomCall, type Shared, sentOf, unused } from "./call.ts";
import type { Member } from "./peer.js";
import { RemoteStreams } from "./remote-streams.ts";
import { Rings, Talk } from "./rings.ts";
import { Shares } from "./shares.ts";

const NONE: Kinds = { microphone: false, camera: false, screen: false };
const AUDIO: api.CallSource = { audio: true };

export class Calls implements Shared {
  readonly media: Media;
  readonly streams: RemoteStreams;
  readonly #host: CallHost;
  readonly #rings: Rings;
  readonly #shares: Shares;
  /** Everybody who is in our call, or was a moment ago. */
  readonly #members = new Map<string, Member>();
  /** The people in our call whom the program was told of. */
  readonly #connected = new Set<string>();
  readonly #outcomes = new Map<string, api.CallOutcome>();
  /** Of our calls, by conversation. */
  readonly #talks = new Map<string, Talk[]>();
  readonly #heights = new Map<string, { camera: number; screen: number }>();
  #view: View;
  #seen = "";
  #known = new Set<string>();
  #call: RoomCall | undefined;
  /** The call that is about to begin. */
  #next: RoomCall | undefined;
  #broadcast: RoomBroadcast | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(host: CallHost) {
    this.#host = host;
    this.#view = host.view();
    const told = <E extends "stream" | "streamended" | "track">(event: E, id: string, ...values: unknown[]): void => {
      const member = this.member(id);
      if (member) host.handlers.emit(event, ...([member.user, ...values, member.peer] as Parameters<api.Events[E]>));
    };
    this.streams = new RemoteStreams({
      begun: (id, kind, stream) => told("stream", id, stream, kind),
      added: (id, track, stream) => told("track", id, track, stream),
      ended: (id, kind, stream) => told("streamended", id, stream, kind),
    });
    this.media = open(
      { command: () => this.tell(), notice: () => {} },
      {
        stream: (id, kind, stream) => {
          this.streams.put(id, kind, stream.getTracks());
          this.#tellConnected();
          this.#shares.settle();
        },
      },
    );
    this.#shares = new Shares(host, this.streams);
    this.#rings = new Rings(host, {
      answer: async (ring, source, talk) => {
        await this.#during(ring.conversation, talk, this.#enter(ring.conversation, source, (sends) => ({ do: "answer", call: ring.call, sends })));
      },
      ended: (member, outcome) => host.handlers.emit("callended", member.user, outcome, member.peer),
    });
    host.provide(this.media);
  }

  /** It stands in another way. */
  changed(view: View): void {
    this.#view = view;
    const others = [...(view.call?.peers ?? []), ...view.shares];
    const known = new Set(others.map(({ peer }) => peer));
    for (const peer of this.#known) if (!known.has(peer)) this.media.sends(peer, undefined);
    for (const { peer, sends } of others.reverse()) this.media.sends(peer, sends);
    this.#known = known;
    for (const id of known) {
      const member = this.#host.member(id);
      if (member) this.#members.set(id, member);
    }
    const outcome = (conversation: string): api.CallOutcome => this.#outcomes.get(conversation) ?? "ended";
    this.#rings.changed(view.rings, view.call?.conversation, outcome);
    if (this.#call && this.#call.conversation !== view.call?.conversation) this.#over(this.#call, outcome(this.#call.conversation));
    if (view.call && !this.#call) {
      const { conversation } = view.call;
      this.#call = this.#next?.conversation === conversation ? this.#next : new RoomCall(this, conversation, { ...NONE });
      this.#next = undefined;
    }
    this.#tellGone();
    this.#tellConnected();
    this.#tellChange();
    this.#shares.changed(view);
    this.#outcomes.clear();
    this.streams.keep((peer) => known.has(peer));
    for (const id of [...this.#members.keys()]) if (!known.has(id)) this.#members.delete(id);
  }

  /** This became of the call in a conversation. */
  called(conversation: string, outcome: api.CallOutcome): void {
    this.#outcomes.set(conversation, outcome);
  }

  /** Tells a handler that was added late how it stands. */
  late<E extends keyof api.Events>(event: E, handler: api.Events[E]): void {
    const { handlers } = this.#host;
    if (event === "call") this.#rings.look();
    if (event === "watchrequest") this.#shares.look();
    if (event === "broadcast") this.#shares.late(handler as api.Events["broadcast"]);
    if (event === "callconnected") {
      for (const id of this.#connected) {
        const member = this.#members.get(id);
        if (member) handlers.emitTo(handler as api.Events["callconnected"], "callconnected", member.user, this.#streamsWith(id), member.peer);
      }
    }
    if (event === "stream") {
      for (const [id, kind, stream] of this.streams.all()) {
        const member = this.#members.get(id);
        if (member) handlers.emitTo(handler as api.Events["stream"], "stream", member.user, stream, kind, member.peer);
      }
    }
  }

  /** The room was left. */
  forget(): void {
    this.#broadcast = undefined;
    this.changed({ ...this.#view, call: undefined, rings: [], running: [], shares: [], share: undefined });
    this.#tidy();
  }

  /** Calls whoever is in a conversation. */
  async start(conversation: string, source: api.CallSource = AUDIO): Promise<api.Call> {
    return await this.#enter(conversation, source, (sends) => ({ do: "start", conversation, sends }));
  }

  /** Calls one person. */
  with(member: Member, source?: api.CallSource): Talk {
    const conversation = member.view.key;
    const talk = new Talk(this.#host);
    this.#during(conversation, talk, this.start(conversation, source)).catch(talk.failed);
    return talk;
  }

  /** Leaves the call that somebody is in with us, or declines theirs. */
  endWith(member: Member): void {
    const isWith = (id: string) => this.#host.member(id)?.view.key === member.view.key;
    const { call } = this.#view;
    const ring = this.#rings.from(member);
    if (call && (call.conversation === member.view.key || call.peers.some(({ peer }) => isWith(peer)))) this.#host.command({ do: "hang-up" });
    else if (ring) this.#host.command({ do: "decline", call: ring.call });
  }

  async broadcast(source: api.CallSource = { audio: true, video: true }, options: api.BroadcastOptions = {}): Promise<api.Broadcast> {
    const wanted = this.#source(source);
    return await this.#inTurn(async () => {
      const broadcast = new RoomBroadcast(this, kindsOf(wanted), options);
      await this.#use("camera", wanted, this.#call !== undefined);
      const before = this.#broadcast;
      this.#broadcast = broadcast;
      try {
        this.#share(broadcast);
      } catch (error) {
        this.#broadcast = before;
        throw error;
      } finally {
        this.#tidy();
      }
      this.changed(this.#host.view());
      return broadcast;
    });
  }

  watch(member: Member): Promise<MediaStream> {
    return this.#shares.watch(member);
  }

  unwatch(id: string): void {
    this.#shares.unwatch(id);
  }

  showAt(id: string, height: { camera?: number; screen?: number }): void {
    const whole = (value = 65_535) => Math.max(0, Math.ceil(Number(value) || 0));
    const before = this.#heights.get(id);
    const heights = { camera: whole(height.camera ?? before?.camera), screen: whole(height.screen ?? before?.screen) };
    this.#heights.set(id, heights);
    this.#host.command({ do: "want", peer: id, ...heights });
  }

  member(id: string): Member | undefined {
    return this.#members.get(id) ?? this.#host.member(id);
  }

  view(call: RoomCall): OwnCall | undefined {
    return call === this.#call ? this.#view.call : undefined;
  }

  share(broadcast: RoomBroadcast): View["share"] {
    return broadcast === this.#broadcast ? this.#view.share : undefined;
  }

  async send(call: RoomCall, source: api.CallSource | undefined): Promise<void> {
    const wanted = source && this.#source(source);
    await this.#inTurn(async () => {
      this.#check(call);
      await this.#use("camera", wanted, this.#broadcast !== undefined);
      Object.assign(call.kinds, { ...kindsOf(wanted ?? {}), screen: call.kinds.screen });
      this.#tidy();
      this.tell();
    });
  }

  async shareScreen(call: RoomCall, source: api.CallSource | undefined): Promise<void> {
    const wanted = source && this.#source(source);
    await this.#inTurn(async () => {
      this.#check(call);
      if (wanted && this.#view.allowed !== "video") throw this.#host.error("refused", "This chat has calls with sound alone.");
      await this.#use("screen", wanted, false);
      call.kinds.screen = wanted !== undefined;
      this.#tidy();
      this.tell();
    });
  }

  tell(): void {
    if (this.#call) this.#host.command({ do: "send", sends: sentOf(this.media, this.#call.kinds, this.#call.hand) });
    if (this.#broadcast) this.#share(this.#broadcast);
  }

  end(call: RoomCall): void {
    if (call === this.#call) this.#host.command({ do: "hang-up" });
  }

  unshare(broadcast: RoomBroadcast): void {
    if (broadcast !== this.#broadcast) return;
    this.#broadcast = undefined;
    this.#host.command({ do: "unshare" });
    this.#tidy();
  }

  remove({ id }: api.Peer): void {
    this.#host.command({ do: "admit", peer: id, on: false });
  }

  #share({ kinds, terms }: RoomBroadcast): void {
    this.#host.command({ do: "share", sends: sentOf(this.media, kinds), ...terms });
  }

  /** Enters a call, once what is to be sent is open. */
  #enter(conversation: string, source: api.CallSource, command: (sends: ReturnType<typeof sentOf>) => Command): Promise<RoomCall> {
    const wanted = this.#source(source);
    return this.#inTurn(async () => {
      const kinds = kindsOf(wanted);
      await this.#use("camera", wanted, this.#broadcast !== undefined);
      const isThere = this.#call?.conversation === conversation;
      const call = isThere ? this.#call! : new RoomCall(this, conversation, kinds);
      Object.assign(call.kinds, kinds);
      if (!isThere) this.#next = call;
      try {
        this.#host.command(command(sentOf(this.media, kinds, call.hand)));
        this.changed(this.#host.view());
      } finally {
        this.#next = undefined;
        this.#tidy();
      }
      this.tell();
      return call;
    });
  }

  /** What a program wants to send. The camera of a site without pictures is never opened. */
  #source(source: api.CallSource): api.CallSource {
    if (isStream(source)) return source;
    if (typeof source !== "object" || source === null) throw new TypeError("What is sent should be a MediaStream, or an object with audio and video.");
    const { audio = false, video = false } = source;
    return { audio, video: this.#view.allowed === "video" && video };
  }

  async #use(kind: "camera" | "screen", source: api.CallSource | undefined, isMore: boolean): Promise<void> {
    const isNothing = source !== undefined && !isStream(source) && !source.audio && !source.video;
    try {
      await this.media.use(kind, isNothing ? undefined : source, isMore);
    } catch (error) {
      throw error instanceof Refused ? this.#host.error("device", error.message) : error;
    }
  }

  /** Closes what nothing is sent of any more. */
  #tidy(): void {
    for (const slot of unused([this.#call?.kinds, this.#next?.kinds, this.#broadcast?.kinds])) this.media.stop(slot);
  }

  #check(call: RoomCall): void {
    if (call !== this.#call) throw this.#host.error("gone", "The call is over.");
  }

  /** One after the other, because each opens devices. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Keeps the promises of a call that begins. */
  async #during(conversation: string, talk: Talk, entering: Promise<unknown>): Promise<void> {
    const talks = (): Talk[] => this.#talks.get(conversation) ?? [];
    this.#talks.set(conversation, [...talks(), talk]);
    try {
      await entering;
    } catch (error) {
      this.#talks.set(conversation, talks().filter((known) => known !== talk));
      throw error;
    }
    this.#tellConnected();
  }

  #streamsWith(id: string): api.CallStreams {
    return { localStream: this.media.streams.camera, remoteStream: this.streams.of(id, "camera") };
  }

  #tellConnected(): void {
    const { call } = this.#view;
    for (const { peer: id, state, sends } of call?.peers ?? []) {
      const member = this.#members.get(id);
      const isHere = state === "connected" && this.#shares.hasAll(id, { ...sends, screen: false });
      if (!member || !isHere) continue;
      for (const talk of this.#talks.get(call!.conversation) ?? []) talk.began(this.#streamsWith(id));
      if (this.#connected.has(id)) continue;
      this.#connected.add(id);
      this.#host.handlers.emit("callconnected", member.user, this.#streamsWith(id), member.peer);
    }
  }

  #tellGone(): void {
    for (const id of [...this.#connected]) {
      if (this.#view.call?.peers.some(({ peer }) => peer === id)) continue;
      this.#connected.delete(id);
      const member = this.#members.get(id);
      if (member) this.#host.handlers.emit("callended", member.user, "ended", member.peer);
    }
  }

  #tellChange(): void {
    const seen = JSON.stringify(this.#view.call);
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#host.handlers.emit("callchange", this.#call);
  }

  /** Our call is over. */
  #over(call: RoomCall, outcome: api.CallOutcome): void {
    this.#call = undefined;
    const { conversation } = call;
    const wasAlone = this.#connected.size === 0;
    for (const talk of this.#talks.get(conversation) ?? []) talk.over(outcome);
    this.#talks.delete(conversation);
    this.#tidy();
    const called = wasAlone ? this.#host.withKey(conversation) : undefined;
    if (called) this.#host.handlers.emit("callended", called.user, outcome, called.peer);
  }
}

/** What a source has of each kind. */
function kindsOf(source: api.CallSource): Kinds {
  if (isStream(source)) return { ...NONE, microphone: source.getAudioTracks().length > 0, camera: source.getVideoTracks().length > 0 };
  return { ...NONE, microphone: Boolean(source.audio), camera: Boolean(source.video) };
}
