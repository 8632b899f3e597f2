/**
 * Rooms for programs: browsers that opened the same page find each other, prove their identities, and talk directly.
 *
 * This is the module's whole public interface. docs/MODULE.md explains it.
 */

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** An array over bytes. A `Float16Array` can be sent as well, and arrives as bytes in a browser that has none. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/**
 * The values that can be sent. A value arrives with the same type: a `Float32Array` as a `Float32Array`. Only the media
 * type of a `Blob` may change, see `ReceivedBlob`.
 */
export type Sendable = Json | ArrayBuffer | TypedArray | DataView | Blob;

/** The media type of received content, as its sender stated it. */
export interface SaidType {
  /**
   * The media type that the sender stated, which may be anything. `type` is the same only if nothing of that type can
   * run or navigate; otherwise it is `application/octet-stream`, which browsers save and never show. Never give this
   * type to a `Blob` or to an object URL.
   */
  readonly saidType: string;
}

/** A `Blob` that somebody sent. */
export type ReceivedBlob = Blob & SaidType;

/** A file that somebody sent. */
export type ReceivedFile = File & SaidType;

/** The values that `data` and `dm` handlers receive. */
export type Received = Exclude<Sendable, Blob> | ReceivedBlob;

/** Information about a program's user. Other peers receive it as soon as the user's identity is proven. */
export interface UserInfo {
  readonly [key: string]: Json | undefined;
}

/** An MQTT broker. */
export interface Broker {
  /** Its address, which begins with `ws://` or `wss://`. */
  url: string;
  username?: string;
  password?: string;
}

/** A STUN or TURN server. */
export interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

/** The options of `new MQTTRTCClient(options)`. All of them are optional. */
export interface Options {
  /** The name: 1 to 40 characters on one line. Default: the stored one, or `anon-` with four characters of the key. */
  name?: string;
  /** Information about this user that other peers receive: an object of at most 2,000 bytes as JSON. */
  userInfo?: UserInfo;
  /** The room on the page. Default: the one in the page's address (`?room=`), in rtchat.json, or `lobby`. */
  room?: string;
  /** The page that the room belongs to. Default: the page that the program runs in. */
  page?: string | URL;
  /** The secret of a private room, as in its link after `#k=`. Default: the one in the page's address. */
  secret?: string;
  /** A password. Only peers with the same password meet. */
  password?: string;
  /** Brokers, the most preferred first. Default: those of rtchat.json. */
  brokers?: (string | Broker)[];
  /** STUN and TURN servers. Default: those of rtchat.json. */
  iceServers?: IceServer[];
  /** Whether to connect only through a TURN server, which is required then. A direct path shows the IP address. */
  relayOnly?: boolean;
  /** Who is admitted while there is no handler for `connectionrequest`. Default: as in rtchat.json, or `everyone`. */
  accept?: "everyone" | "ask" | "known";
  /**
   * What conversations have: files, more channels than the first one, direct ones, and keeping what is said. What is not
   * named is off. Default: as in rtchat.json, or everything.
   */
  features?: ("files" | "channels" | "dm" | "history")[];
  /** Which calls and broadcasts there are. Default: as in rtchat.json, or `video`. */
  calls?: "off" | "audio" | "video";
  /** A prefix for the names of all topics, if a broker's rules require one. All peers need the same prefix. */
  topicPrefix?: string;
  /**
   * Where to store the name, the key, the list of known keys, and large received files. With `memory`, nothing is ever
   * stored, and each client is a new identity.
   */
  storage?: "local" | "memory";
  /** The handlers that answer questions, by topic. */
  questionHandlers?: Record<string, QuestionHandler>;
  /** The address of a `rtchat.json`. Default: the one beside the module. */
  config?: string | URL;
}

/** A conversation of the room. */
export interface Conversation {
  /** `#name` of a channel, or the other's public key in base64url. */
  readonly id: string;
  /** The channel's name, or the other person's, as far as it is known. */
  readonly name: string | undefined;
  /** The other person's public key, in a direct conversation. */
  readonly key: string | undefined;
}

/** Options of `say`. */
export interface SayOptions {
  /** A conversation's id: `#name`, or somebody's public key. Default: the room's first channel. */
  conversation?: string | undefined;
  /** The id of the message that this one answers. */
  replyTo?: string | undefined;
}

/** Options of `sendFile` of a client. */
export interface SayFileOptions extends SayOptions {
  /** The name of the file: 1 to 255 characters, no path. Default: that of the `File`, or `file`. */
  name?: string | undefined;
  /** The text that the file stands beside, at most 10,000 characters. Default: none. */
  text?: string | undefined;
}

/** A file beside a message, as its sender describes it. `fetchFile` gets it. */
export interface AttachedFile extends SaidType {
  /** Plain text on one line, without a path. */
  readonly name: string;
  /** The size in bytes. */
  readonly size: number;
  /** The media type that the fetched file will have, see `saidType`. */
  readonly type: string;
  /** What the file is asked for by: the same for the same content, in base64url. */
  readonly hash: string;
}

/** Options of `history`. */
export interface HistoryOptions {
  /** A conversation's id. Default: the room's first channel. */
  conversation?: string | undefined;
  /** The id of a message: only what was said before it. */
  before?: string | undefined;
  /** At most this many. Default: 50. */
  limit?: number | undefined;
}

/** What is sent: a stream of the program's own, or constraints, by which a microphone and a camera are opened. */
export type CallSource = MediaStream | MediaStreamConstraints;

/** Options of `call` of a client. */
export interface CallOptions {
  /** A conversation's id: `#name`, or somebody's public key. Default: the room's first channel. */
  conversation?: string | undefined;
}

/** A call that rings here. */
export interface CallInfo {
  /** The same for everybody who is in it. */
  readonly id: string;
  /** The id of its conversation. */
  readonly conversation: string;
  /** Whether whoever calls sends sound: always, unless they have no microphone. */
  readonly audio: boolean;
  /** Whether whoever calls sends a picture. */
  readonly video: boolean;
  /** Whether no sound should be made: the person is new, calls too often, or we are in another call. */
  readonly silent: boolean;
}

/** The two streams of a call. Their tracks come and go. */
export interface CallStreams {
  /** What we send. */
  readonly localStream: MediaStream;
  /** What the other sends. */
  readonly remoteStream: MediaStream;
}

/** The two ends of a call. Nobody has to handle their rejection. */
export interface CallPromises {
  /** Resolves once both are connected, and is rejected if the call ends before. */
  readonly start: Promise<CallStreams>;
  /** Resolves when the call is over. */
  readonly end: Promise<void>;
}

/** Somebody else in a call. */
export interface CallParticipant {
  readonly peer: Peer;
  /** Whether they are heard of at the moment. */
  readonly connected: boolean;
  /** What they send: their microphone, their camera, a screen. */
  readonly audio: boolean;
  readonly video: boolean;
  readonly screen: boolean;
  /** Whether their hand is raised. */
  readonly hand: boolean;
  /** Their microphone and camera. */
  readonly stream: MediaStream;
  /** Their screen with its sound. */
  readonly screenStream: MediaStream;
}

/** The call that this tab is in. */
export interface Call {
  /** The same for everybody who is in it. */
  readonly id: string;
  /** The id of its conversation. */
  readonly conversation: string;
  readonly state: "ringing" | "connecting" | "connected" | "reconnecting" | "ended";
  /** Everybody else in it. */
  readonly participants: readonly CallParticipant[];
  /** What we send of microphone and camera. */
  readonly localStream: MediaStream;
  /** Sends something else from now on. Without a source, nothing is, and what was opened is closed. */
  send(source?: CallSource): Promise<void>;
  /** Sends sound and picture, or silence and black. */
  enable(on: { audio?: boolean; video?: boolean }): void;
  /** Shows a screen, a window or a tab, which the person chooses, or a stream. `undefined` ends that. */
  shareScreen(source: CallSource | undefined): Promise<void>;
  /** Raises our hand, or lowers it. */
  raiseHand(on: boolean): void;
  /** Leaves the call. */
  end(): void;
}

/** What is sent to whoever opens it, and under which terms. */
export interface BroadcastOptions {
  /** Whether viewers should see it blurred until they agree. */
  sensitive?: boolean;
  /** Whether `watchrequest` is asked about each viewer. Default: nobody is asked about. */
  ask?: boolean;
  /** Whether only those may watch who broadcast to us in return. */
  inReturn?: boolean;
}

/** What we send to whoever opens it. */
export interface Broadcast {
  readonly stream: MediaStream;
  /** Who watches. */
  readonly watchers: readonly Peer[];
  /** Ends that somebody watches. They may not ask again. */
  remove(peer: Peer): void;
  /** Ends it for everybody. */
  end(): void;
}

/** What somebody sends to whoever opens it. */
export interface BroadcastInfo {
  readonly audio: boolean;
  readonly video: boolean;
  readonly screen: boolean;
  /** Whether it should be blurred until the viewer agrees. */
  readonly sensitive: boolean;
  /** Whether they are asked first. */
  readonly asks: boolean;
  /** Whether they want to see our broadcast in return. */
  readonly inReturn: boolean;
}

/** Why a call is over. */
export type CallOutcome = "ended" | "missed" | "unanswered" | "declined" | "unable";

/** A message. Its text is plain: never use it as HTML. */
export interface Message {
  /** The same for everybody, and after a reload. */
  readonly id: string;
  /** The id of its conversation. */
  readonly conversation: string;
  /** The name of whoever said it. */
  readonly sender: string;
  /** The public key of whoever said it, in base64url. */
  readonly key: string;
  /** Whether we said it, in any tab. */
  readonly own: boolean;
  /** What is known of that key under that name. */
  readonly trust: Trust;
  /** As it was edited last; empty once it was taken back. */
  readonly text: string;
  /** The file beside it, until it is taken back. */
  readonly file: AttachedFile | undefined;
  /** When it was said, by the sender's clock, but no later than it came here. */
  readonly at: Date;
  /** The id of the message that it answers. */
  readonly replyTo: string | undefined;
  /** Earlier texts, oldest first, if it was edited. */
  readonly earlier: readonly string[];
  /** Whether it was taken back. */
  readonly retracted: boolean;
  /** The reactions. */
  readonly reactions: readonly { emoji: string; own: boolean; people: readonly { key: string; name: string }[] }[];
  /** Whether it was said before we came. */
  readonly caughtUp: boolean;
  /** Whether its author said something else to others in its place. */
  readonly forked: boolean;
  /** Whether a person imported it here from a file: nobody can prove what was said to one person. */
  readonly imported: boolean;
}

/** To how many people a message was sent, how many have it, and how many it is meant for. */
export interface Delivery {
  readonly sent: number;
  readonly delivered: number;
  readonly of: number;
  /** Why it was not said, as a sentence: nobody has it, and `retry` tries again. */
  readonly failed: string | undefined;
}

/** Answers questions, with its return value or the value of its promise. If it throws, the asker receives the error. */
export type QuestionHandler = (content: Json, sender: string, question: QuestionInfo, peer: Peer) => unknown;

/** Further information about a question. */
export interface QuestionInfo {
  /** The topic, if the asker named one. */
  topic: string | undefined;
  /** The peer that asks. */
  peer: Peer;
}

/** The state of the connections to the broker and to other peers. */
export interface Status {
  state:
    /** Connecting to the broker. */
    | "joining"
    /** No other person is connected yet. */
    | "looking"
    /** Connected to somebody. */
    | "connected"
    /** Some people answer, but their network or this one allows no direct connection to them. */
    | "no-path"
    /** No broker answers. Peers that are connected stay connected. */
    | "unreachable"
    /** The broker does not allow the subscriptions that the room needs. Peers that are connected stay connected. */
    | "refused"
    /** The room is full. */
    | "full"
    /** Not in the room: before `connect` and after `disconnect`. */
    | "left"
    /** The room could not be entered; `error` has said why. */
    | "failed";
  /** The number of connected peers that are not tabs of the same person as this one. */
  people: number;
  /** The number of connected tabs of the same person, in the states `looking` and `connected`. */
  ownTabs?: number;
  /** Whether most of what the broker delivered lately was dropped, in the state `looking`; `stats()` counts why. */
  dropping?: boolean;
  /** The number of them that are silent at the moment. */
  reconnecting?: number;
  /** The number of people without a direct connection, in the state `no-path`. */
  unreached?: number;
  /**
   * The time of the next attempt to connect to a broker, in milliseconds since the epoch. In the state `looking`, the time of
   * the next announcement; `undefined` while the last one may still be answered.
   */
  retryAt?: number;
}

/**
 * The state of the connection to a peer. `no-path`: the peer answers, but for ten seconds no direct connection to it has
 * been found. `failed`: it could not prove who it is.
 */
export type PeerState = "connecting" | "verifying" | "verified" | "reconnecting" | "no-path" | "failed" | "gone";

/** The trust in a peer's key, from what was known before this connection. */
export type Trust = "new" | "known" | "verified" | "name-on-another-key";

/** Whether a person is at their page: they see it, and have used it within the last minutes. */
export type Presence = "active" | "away";

/** The reason why a peer is gone. */
export type GoneReason = "left" | "silent" | "unreachable" | "blocked" | "disconnected";

/** The result of a proof of identity. */
export interface Validation {
  /** The key's fingerprint, in sixteen characters. */
  fingerprint: string;
  /** Whether this key was met before. */
  known: boolean;
  /** Whether the safety number was compared. */
  verified: boolean;
}

/** The progress of a file transfer. */
export interface FileProgress {
  /** The number of bytes that the receiver has acknowledged. */
  bytes: number;
  /** The size of the file in bytes. */
  size: number;
}

/** Options for sending a file. */
export interface FileOptions {
  /** The name of the file: 1 to 255 characters, no path. Default: that of the `File`, or `file`. */
  name?: string;
  /** Called from time to time with the progress of the receiver. */
  onprogress?: (progress: FileProgress) => void;
  /** Cancels the transfer. */
  signal?: AbortSignal;
}

/** Options for accepting a file. */
export interface AcceptOptions {
  /** Called from time to time with the progress. */
  onprogress?: (progress: FileProgress) => void;
  /** Refuses the rest of the file. */
  signal?: AbortSignal;
}

/** A file that somebody wants to send. */
export interface IncomingFile extends SaidType {
  /** Plain text on one line, without a path. The sender chose it, so it proves nothing about the content. */
  readonly name: string;
  /** The size in bytes. More is never accepted. */
  readonly size: number;
  /** The media type that the received file will have, see `saidType`. */
  readonly type: string;
  /** Accepts the file. The promise resolves to it once all of it has arrived and its hash is right. */
  accept(options?: AcceptOptions): Promise<ReceivedFile>;
  /** Refuses the file, or the rest of it. The sender receives the reason. */
  refuse(reason?: string): void;
}

/**
 * The events, and the arguments of their handlers. The last argument of every handler about a peer is its `Peer`. A
 * name can be taken by somebody else as soon as its owner is away; a `Peer` always stands for the same person.
 */
export interface Events {
  /** Somebody wants to connect. They are admitted if every handler returns true, directly or as a promise. */
  connectionrequest: (user: string, userInfo: UserInfo, peer: Peer) => boolean | Promise<boolean>;
  /** Somebody is connected and has proved their identity. */
  connectedtopeer: (user: string, userInfo: UserInfo, peer: Peer) => unknown;
  /** Somebody is no longer connected. */
  disconnectedfrompeer: (user: string, reason: GoneReason, peer: Peer) => unknown;
  /** Somebody asks a question. The first handler that returns a value gives the answer. */
  question: QuestionHandler;
  /** Somebody answered one of our questions. */
  answer: (content: Json, sender: string, answer: { question: Json }, peer: Peer) => unknown;
  /** Somebody wrote a message, to everybody or to us alone. */
  chat: (text: string, sender: string, peer: Peer) => unknown;
  /**
   * A message is here: said now by anybody, also by us, or caught up on. `peer` is whoever said it, if they are here.
   * `message.key` is the key of whoever said it in any case.
   */
  message: (message: Message, peer: Peer | undefined) => unknown;
  /** A message looks different: it was edited, taken back or reacted to. */
  messagechange: (message: Message, peer: Peer | undefined) => unknown;
  /** The delivery of a message of ours made progress. */
  delivery: (id: string, delivery: Delivery) => unknown;
  /** Somebody sent a value with `dm`. */
  dm: (value: Received, sender: string, peer: Peer) => unknown;
  /** Somebody sent a value with `send`. */
  data: (value: Received, sender: string, peer: Peer) => unknown;
  /** Somebody wants to send a file. Without a handler, the file is refused. */
  file: (file: IncomingFile, sender: string, peer: Peer) => unknown;
  /**
   * Somebody calls. The call is answered if a handler returns anything but `undefined` or `false`, or a promise of it: what it
   * returns is sent, or, if that is no source, the same kinds as whoever calls. It is declined in all of our tabs otherwise, and
   * rings until the caller gives up where there is no handler.
   */
  call: (user: string, call: CallInfo, promises: CallPromises, peer: Peer) => unknown;
  /** Somebody is in the same call, and what they send arrives. */
  callconnected: (user: string, streams: CallStreams, peer: Peer) => unknown;
  /** A call with somebody is over, or they have left it. */
  callended: (user: string, outcome: CallOutcome, peer: Peer) => unknown;
  /** The state of our call changed, or of somebody in it; `undefined` if there is none any more. */
  callchange: (call: Call | undefined) => unknown;
  /** Somebody's microphone and camera, or their screen, begin to arrive, in a call or because we watch. */
  stream: (user: string, stream: MediaStream, kind: "camera" | "screen", peer: Peer) => unknown;
  /** They have ended. */
  streamended: (user: string, stream: MediaStream, kind: "camera" | "screen", peer: Peer) => unknown;
  /** A track was added to a stream of somebody. */
  track: (user: string, track: MediaStreamTrack, stream: MediaStream, peer: Peer) => unknown;
  /** Somebody sends something to whoever opens it (`watch`), or other things than before. */
  broadcast: (user: string, broadcast: BroadcastInfo, peer: Peer) => unknown;
  /** They have ended that. */
  broadcastended: (user: string, peer: Peer) => unknown;
  /** Other people watch what we broadcast. */
  watchers: (watchers: readonly Peer[]) => unknown;
  /** Somebody wants to watch what we broadcast with `ask`. They may if every handler returns true, directly or as a promise. */
  watchrequest: (user: string, peer: Peer) => boolean | Promise<boolean>;
  /** Somebody is writing. */
  typing: (user: string, peer: Peer) => unknown;
  /**
   * So many messages of somebody could not be read since this was last told, at most once a second for each: they were too
   * long, damaged or forged.
   */
  unreadable: (user: string, count: number, peer: Peer) => unknown;
  /** Somebody is at their page, or no longer. `presence` is `peer.presence`. */
  presence: (user: string, presence: Presence, peer: Peer) => unknown;
  /** Somebody has another name. A peer's `user` never changes without this event. */
  namechange: (oldUser: string, newUser: string, peer: Peer) => unknown;
  /** Somebody proved their identity. */
  validation: (user: string, validation: Validation, peer: Peer) => unknown;
  /** Somebody could not prove their identity, and is not connected. The name and key of `peer` are mere claims. */
  validationfailure: (user: string, reason: string, peer: Peer) => unknown;
  /** The state of the connections changed. */
  status: (status: Status) => unknown;
  /**
   * An error that no promise reports: a handler threw, the room cannot be entered, there is no direct connection to somebody
   * (an `RTChatError` with the code `no-path`), or somebody sends too much and is muted (`muted`).
   */
  error: (error: Error) => unknown;
}

/** The kind of an `RTChatError`. */
export type ErrorCode =
  /** The answer did not arrive in time. */
  | "timeout"
  /** The peer is not connected, or no longer connected. */
  | "gone"
  /** The other peer could not answer, or a file did not arrive. The message may come from the other peer. */
  | "failed"
  /** A value was not sent because it is too large or invalid, a file was not wanted, or a decision was refused. */
  | "refused"
  /** This network or another person's allows no direct connection. It is tried further. The message says what helps. */
  | "no-path"
  /** Somebody sends too much, and nothing of them is looked at until `peer.listen()`. */
  | "muted"
  /** No microphone, camera or screen could be opened. The message says what to do. */
  | "device"
  /** The room cannot be entered, or the program behind the module has crashed. The message says why. */
  | "unavailable";

/** The error that promises are rejected with. */
export class RTChatError extends Error {
  constructor(code: ErrorCode, message: string);
  readonly code: ErrorCode;
}

/** Options for asking a question. */
export interface AskOptions {
  /** The topic, which selects the handler that answers. */
  topic?: string;
  /** The time limit for the answer, in milliseconds. Default: 30,000. */
  timeout?: number;
  /** Stops waiting for the answer. */
  signal?: AbortSignal;
}

/** The answer of one peer, or the error. */
export type AskResult =
  | { user: string; peer: Peer; ok: true; answer: Json }
  | { user: string; peer: Peer; ok: false; error: Error };

/** Counts since joining, without contents and addresses. */
export interface Stats {
  /** The messages published on the broker, and their bytes. */
  published: number;
  publishedBytes: number;
  /** The valid messages that the broker delivered for us. */
  received: number;
  signaturesChecked: number;
  connectionsOpened: number;
  /** The number of dropped messages and frames, by reason. */
  dropped: Record<string, number>;
}

/** Options for decisions about a peer's key. */
export interface DecisionOptions {
  /**
   * The name (`peer.name`) that the peer had when the person decided. If the peer has another name now, the decision is
   * refused. Default: the name at the time of the call.
   */
  name?: string;
}

/**
 * Somebody in the room: one tab of one browser. Its `id` and `key` never change: somebody who takes over the name is
 * another `Peer`. Once its state is `gone`, its properties can still be read, but its methods fail or do nothing;
 * somebody who returns is a new `Peer`.
 */
export interface Peer {
  /** The name with a suffix that makes it unique in the room: `ann`, `ann(2)`, `ann (k7qd)(2)`. It can change. */
  readonly user: string;
  /** The name that the person chose, without a suffix. Several peers may have the same name. */
  readonly name: string;
  /** The information that their program gives about them. */
  readonly userInfo: UserInfo;
  /** The identifier of this tab in this session. */
  readonly id: string;
  /** The public key, in base64url: the same in all tabs of this person's browser, and whenever they return. */
  readonly key: string;
  /** The key's fingerprint, in sixteen characters, for people to read. */
  readonly fingerprint: string;
  readonly state: PeerState;
  readonly trust: Trust;
  /**
   * Whether the person is at their page. They are active if one of their tabs is. `undefined` as long as nothing is known,
   * and always for programs without a page.
   */
  readonly presence: Presence | undefined;
  /** Whether nothing of the peer is looked at, because it sends too much. */
  readonly muted: boolean;
  /** Asks a question. The promise is rejected with the code `timeout`, `gone` or `failed` if there is no answer. */
  ask(content: Json, options?: AskOptions): Promise<any>;
  /** Sends a value, in order. The promise resolves when the channel accepts it, and is rejected if the peer is gone. */
  send(data: Sendable): Promise<void>;
  /** Does the same as `send`, but for the `dm` handlers of the peer. */
  dm(data: Sendable): Promise<void>;
  /** Sends a file. The promise resolves when the peer has all of it and its hash is right. */
  sendFile(blob: Blob, options?: FileOptions): Promise<void>;
  /** Sends a message to this peer alone, at most 10,000 characters. */
  chat(text: string): void;
  /** Calls this person, in all of their tabs: see `call` of the client. */
  call(source?: CallSource): Promise<Call>;
  /** Measures the round trip, in milliseconds. */
  ping(): Promise<number>;
  /** Listens again to a peer that is muted. What its person said meanwhile is caught up on; values are lost. */
  listen(): void;
  /** Closes the connection until the peer returns in a new session. */
  disconnect(): void;
  /** Blocks the peer's key permanently and in all tabs, whatever its name is. May be rejected with `gone`. */
  block(): Promise<void>;
  /**
   * Records that the person has compared the safety number, and that it is the same. May be rejected with `gone`, or
   * with `refused` if the peer has another name than the person saw; then nothing is recorded.
   */
  markVerified(options?: DecisionOptions): Promise<void>;
  /** Records that the person accepts a known name on this key (`name-on-another-key`). Rejected like `markVerified`. */
  acceptKey(options?: DecisionOptions): Promise<void>;
}

/** A client of one room. It enters the room at once. */
export class MQTTRTCClient {
  /** @throws TypeError that names an invalid option and describes its valid values. */
  constructor(options?: Options);
  /** Adds a handler of an event. A handler that is added late is called for the present state. */
  on<E extends keyof Events>(event: E, handler: Events[E]): this;
  /** Removes a handler. */
  off<E extends keyof Events>(event: E, handler: Events[E]): this;
  /** Adds a handler that is called only once. */
  once<E extends keyof Events>(event: E, handler: Events[E]): this;
  /** Returns the peer that has this name now. For decisions about trust, use the peer that a handler received. */
  getPeer(user: string): Peer | undefined;
  /** The connected peers. */
  readonly peers: Peer[];
  /** The names of the connected peers. */
  readonly users: string[];
  /** Our own name as others see it; empty as long as it is not known. */
  readonly name: string;
  /** The name of the room; empty as long as it is not known. */
  readonly room: string;
  /** Returns the number that two people compare to verify each other's keys; `undefined` outside the room. */
  safetyNumber(peer: Peer): string | undefined;
  /** Sends a value to all connected peers. The promise is rejected if one of them is gone before it could be sent. */
  send(data: Sendable): Promise<void>;
  /** Asks all connected peers, and resolves to the answer of each of them. */
  ask(content: Json): Promise<AskResult[]>;
  ask(topic: string | undefined, content: Json, options?: Omit<AskOptions, "topic">): Promise<AskResult[]>;
  /** Says something in the room's first channel, at most 10,000 characters. */
  chat(text: string): void;
  /** Says something in a conversation, at most 10,000 characters. It comes as `message`, too, with its id. */
  say(text: string, options?: SayOptions): void;
  /**
   * Says something with a file beside it, in a conversation. Whoever reads it there can fetch the file from whoever has it.
   * Resolves to the message's id as soon as it is said. Rejected with `refused` if it cannot be sent, or `failed` if the file
   * cannot be read.
   */
  sendFile(blob: Blob, options?: SayFileOptions): Promise<string>;
  /**
   * Gets the file beside a message, at once if it is here, or else from whoever has it; until somebody comes who does, the
   * promise waits. Rejected with `failed` if all who are here gave something else, or `gone` if the message is not here.
   */
  fetchFile(file: AttachedFile, options?: AcceptOptions): Promise<ReceivedFile>;
  /** Changes the text of a message of ours. */
  edit(id: string, text: string): void;
  /** Tries again to say a message that was not said (`delivery`, `failed`). Nobody ever has it twice. */
  retry(id: string): void;
  /** Takes a message of ours back. */
  retract(id: string): void;
  /** Reacts to a message with an emoji, or takes the reaction back. */
  react(id: string, emoji: string, on?: boolean): void;
  /** The conversations: the channels, and direct ones that have begun. */
  readonly conversations: Conversation[];
  /**
   * Resolves to the last messages of a conversation that are here, oldest first. If there are fewer than asked for, peers
   * are asked for older ones, which come as `message`.
   */
  history(options?: HistoryOptions): Promise<Message[]>;
  /** Tells everybody that the user is writing. */
  typing(): void;
  /**
   * Calls whoever is in a conversation, or joins the call that is there. Another call that we are in ends. Resolves once it
   * rings, or we are in it. Rejected with `device` if nothing could be opened, or `refused` if there are no calls here.
   * Default of the source: `{ audio: true }`; without sound and picture, we just listen.
   */
  call(source?: CallSource, options?: CallOptions): Promise<Call>;
  /** Calls somebody, by the name that they have now. */
  callUser(user: string | Peer, source?: CallSource): CallPromises;
  /** Leaves the call that this person is in with us, or declines theirs. */
  endCallWithUser(user: string | Peer): void;
  /**
   * Sends this to whoever opens it, and to nobody else. A call that we are in sends its own kinds of the same microphone and
   * camera. Rejected like `call`.
   */
  broadcast(source?: CallSource, options?: BroadcastOptions): Promise<Broadcast>;
  /**
   * Watches what somebody broadcasts. Resolves once it arrives. Rejected with `gone` if they broadcast nothing, or `refused` if
   * we may not watch.
   */
  watch(peer: Peer): Promise<MediaStream>;
  /** Watches no more. */
  unwatch(peer: Peer): void;
  /**
   * Says at which height in pixels somebody's pictures are shown, so that no larger ones are sent; 0 while they are hidden.
   * Without it, they come as large as the connection allows.
   */
  showAt(peer: Peer, height: { camera?: number; screen?: number }): void;
  /** Adds a handler that answers the questions of this topic. */
  addQuestionHandler(topic: string, handler: QuestionHandler): this;
  /** Changes the name, and stores it for the next visit. @throws TypeError if the name is not valid. */
  changeName(name: string): void;
  /** Enters the room again. The promise resolves once this succeeds, and is rejected if it fails. */
  connect(): Promise<void>;
  /** Leaves the room and frees everything. Handlers are kept. */
  disconnect(): void;
  /** Returns the counts since joining; `undefined` outside the room. */
  stats(): Stats | undefined;
}
