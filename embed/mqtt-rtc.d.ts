/**
 * Rooms for programs: browsers that opened the same page find each other, prove who they are, and talk directly.
 *
 * This is the module's whole public interface. docs/MODULE.md explains it.
 */

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** An array over bytes. */
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
 * The values that can be sent. A value arrives as what it was, a `Float32Array` as a `Float32Array`. Only the type of a
 * `Blob` may change, see `ReceivedBlob`.
 */
export type Sendable = Json | ArrayBuffer | TypedArray | DataView | Blob;

/** What somebody else says about the type of content that they sent. */
export interface SaidType {
  /**
   * The media type that the sender gave, which may be anything. `type` is the same only if nothing of that type can run or
   * navigate; otherwise it is `application/octet-stream`, which browsers save and never show. Never give this type to a
   * `Blob` or to an object URL.
   */
  readonly saidType: string;
}

/** A `Blob` that somebody sent. */
export type ReceivedBlob = Blob & SaidType;

/** A file that somebody sent. */
export type ReceivedFile = File & SaidType;

/** The values that `data` and `dm` handlers get. */
export type Received = Exclude<Sendable, Blob> | ReceivedBlob;

/** What a program tells about its user. Others have it as soon as they know for certain who the user is. */
export interface UserInfo {
  readonly [key: string]: Json | undefined;
}

/** A broker to meet at. */
export interface Broker {
  /** Begins with `ws://` or `wss://`. */
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

/** What `new MQTTRTCClient(options)` takes. Everything may be left out. */
export interface Options {
  /** The name to go by: 1 to 40 characters on one line. Else the stored one, or `anon-` with four characters of the key. */
  name?: string;
  /** What others are told about this user: an object of at most 2,000 bytes as JSON. */
  userInfo?: UserInfo;
  /** The room on the page. Else the one in the page's address (`?room=`), in rtchat.json, or `lobby`. */
  room?: string;
  /** The page whose room it is. Else the page that the program runs in. */
  page?: string | URL;
  /** The secret of a private room, as it stands behind `#k=` in its link. Else the one in the page's address. */
  secret?: string;
  /** A password: only who has the same one meets. */
  password?: string;
  /** Brokers to meet at, the most preferred first. Else those of rtchat.json. */
  brokers?: (string | Broker)[];
  /** STUN and TURN servers. Else those of rtchat.json. */
  iceServers?: IceServer[];
  /** Never a direct path, which shows one's address to the others. Needs a TURN server. */
  relayOnly?: boolean;
  /** Who is let in while there is no handler for `connectionrequest`. Else as rtchat.json says, or `everyone`. */
  accept?: "everyone" | "ask" | "known";
  /** What stands before the names of all topics, where a broker's rules ask for it. Everybody needs the same one. */
  topicPrefix?: string;
  /**
   * Where the name, the key and the keys that were met are kept, and large files that are received. With `memory` nothing
   * is ever stored, and each client is a new identity.
   */
  storage?: "local" | "memory";
  /** Who answers the questions of which topic. */
  questionHandlers?: Record<string, QuestionHandler>;
  /** The address of a `rtchat.json`. Else the one beside the module. */
  config?: string | URL;
}

/** Answers questions. The answer is what it returns or what its promise resolves to; the asker is told what it throws. */
export type QuestionHandler = (content: Json, sender: string, question: QuestionInfo, peer: Peer) => unknown;

/** Further information about a question. */
export interface QuestionInfo {
  /** The topic, if the asker named one. */
  topic: string | undefined;
  /** The peer that asks. */
  peer: Peer;
}

/** How the way to the others stands. */
export interface Status {
  state:
    /** On the way to the broker. */
    | "joining"
    /** Nobody else is here yet. */
    | "looking"
    /** Connected to somebody. */
    | "connected"
    /** No broker answers. Who is connected stays connected. */
    | "unreachable"
    /** The room is full. */
    | "full"
    /** Not in the room: before `connect` and after `disconnect`. */
    | "left"
    /** The room could not be entered; `error` has said why. */
    | "failed";
  /** With how many peers one is connected. */
  people: number;
  /** How many of them are silent at the moment. */
  reconnecting?: number;
  /** When a broker is tried next, in milliseconds since the epoch. */
  retryAt?: number;
}

/** How far the connection to a peer is. */
export type PeerState = "connecting" | "verifying" | "verified" | "reconnecting" | "failed" | "gone";

/** What is known of a peer's key from before this connection. */
export type Trust = "new" | "known" | "verified" | "name-on-another-key";

/** Why a peer is gone. */
export type GoneReason = "left" | "silent" | "unreachable" | "blocked" | "disconnected";

/** What is known of who just proved who they are. */
export interface Validation {
  /** The key, in sixteen characters. */
  fingerprint: string;
  /** Whether this key was met before. */
  known: boolean;
  /** Whether the safety number was compared. */
  verified: boolean;
}

/** How far a file is. */
export interface FileProgress {
  /** How many bytes the receiver has stored. */
  bytes: number;
  /** How many there are. */
  size: number;
}

/** How to send a file. */
export interface FileOptions {
  /** Its name: 1 to 255 characters, no path. Else the `File`'s own, or `file`. */
  name?: string;
  /** Told again and again how much the other side has. */
  onprogress?: (progress: FileProgress) => void;
  /** Ends the sending. */
  signal?: AbortSignal;
}

/** How to take a file. */
export interface AcceptOptions {
  /** Told again and again how much has come. */
  onprogress?: (progress: FileProgress) => void;
  /** Ends the receiving. */
  signal?: AbortSignal;
}

/** A file that somebody wants to send. */
export interface IncomingFile extends SaidType {
  /** Plain text on one line, without a path. The sender chose it, and it promises nothing. */
  readonly name: string;
  /** The size in bytes. More is never accepted. */
  readonly size: number;
  /** The media type that the received file will have, see `saidType`. */
  readonly type: string;
  /** Accepts the file. Resolves to it once everything has arrived and its hash is right. */
  accept(options?: AcceptOptions): Promise<ReceivedFile>;
  /** Refuses the file, or the rest of it. The sender is told the reason. */
  refuse(reason?: string): void;
}

/**
 * The events, and what their handlers get. The last argument of every handler about somebody is their `Peer`. A name may
 * pass to somebody else as soon as its bearer is away; a `Peer` is one person for good.
 */
export interface Events {
  /** Somebody wants to connect. They are let in if every handler returns true, directly or as a promise. */
  connectionrequest: (user: string, userInfo: UserInfo, peer: Peer) => boolean | Promise<boolean>;
  /** Somebody is connected and has proved who they are. */
  connectedtopeer: (user: string, userInfo: UserInfo, peer: Peer) => unknown;
  /** Somebody is no longer connected. */
  disconnectedfrompeer: (user: string, reason: GoneReason, peer: Peer) => unknown;
  /** Somebody asks. The answer is that of the first handler that returns something. */
  question: QuestionHandler;
  /** Somebody answered a question of ours. */
  answer: (content: Json, sender: string, answer: { question: Json }, peer: Peer) => unknown;
  /** Somebody wrote a message, to everybody or to us alone. */
  chat: (text: string, sender: string, peer: Peer) => unknown;
  /** Somebody sent a value with `dm`. */
  dm: (value: Received, sender: string, peer: Peer) => unknown;
  /** Somebody sent a value with `send`. */
  data: (value: Received, sender: string, peer: Peer) => unknown;
  /** Somebody wants to send a file. Without a handler it is refused. */
  file: (file: IncomingFile, sender: string, peer: Peer) => unknown;
  /** Somebody is writing. */
  typing: (user: string, peer: Peer) => unknown;
  /** Somebody goes by another name. A peer's `user` never changes without this event. */
  namechange: (oldUser: string, newUser: string, peer: Peer) => unknown;
  /** Somebody proved who they are. */
  validation: (user: string, validation: Validation, peer: Peer) => unknown;
  /** Somebody could not prove who they claim to be, and is not connected. The name and key of `peer` are claims. */
  validationfailure: (user: string, reason: string, peer: Peer) => unknown;
  /** The state of the connections changed. */
  status: (status: Status) => unknown;
  /** Something went wrong that no promise reports: a handler threw, the room cannot be entered. */
  error: (error: Error) => unknown;
}

/** What an `RTChatError` is about. */
export type ErrorCode =
  /** The answer did not come in time. */
  | "timeout"
  /** The peer is not connected, or no longer. */
  | "gone"
  /** Whoever was asked could not answer, or a file did not arrive; the message may be theirs. */
  | "failed"
  /** It was not sent: it is too large, or not what is allowed there, or the file was not wanted. */
  | "refused"
  /** The room cannot be entered, or the program behind the module has broken; the message says why. */
  | "unavailable";

/** What promises are rejected with. */
export class RTChatError extends Error {
  constructor(code: ErrorCode, message: string);
  readonly code: ErrorCode;
}

/** How to ask. */
export interface AskOptions {
  /** Which handler should answer. */
  topic?: string;
  /** For how many milliseconds to wait for the answer; 30,000 unless said otherwise. */
  timeout?: number;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

/** What one peer answered. */
export type AskResult =
  | { user: string; peer: Peer; ok: true; answer: Json }
  | { user: string; peer: Peer; ok: false; error: Error };

/** What was counted since joining. No contents, no addresses. */
export interface Stats {
  /** Messages published on the broker, and their bytes. */
  published: number;
  publishedBytes: number;
  /** Messages from the broker that were for us and sound. */
  received: number;
  signaturesChecked: number;
  connectionsOpened: number;
  /** What was dropped, by reason. */
  dropped: Record<string, number>;
}

/** How to decide about a peer's key. */
export interface DecisionOptions {
  /**
   * The name (`peer.name`) under which the person saw the peer when they decided. If the peer goes by another name now,
   * the decision is refused. Without it, the name at the time of the call counts.
   */
  name?: string;
}

/**
 * Somebody in the room: one tab of one browser. It belongs to one `id` and one `key` for good: whoever takes over the name
 * is another `Peer`. Once its state is `gone` it can only be looked at; somebody who returns is a new `Peer`.
 */
export interface Peer {
  /** The name with what makes it unique in the room now: `ann`, `ann(2)`, `ann (k7qd)(2)`. It names nobody for good. */
  readonly user: string;
  /** The name that the person chose, without additions. Several peers may have the same. */
  readonly name: string;
  /** What their program tells about them. */
  readonly userInfo: UserInfo;
  /** Identifies this tab in this session. */
  readonly id: string;
  /** The public key, in base64url: the same in all tabs of this person's browser, and whenever they return. */
  readonly key: string;
  /** The key's fingerprint, in sixteen characters, for people to read. */
  readonly fingerprint: string;
  readonly state: PeerState;
  readonly trust: Trust;
  /** Asks a question. Rejected with the code `timeout`, `gone` or `failed` if there is no answer. */
  ask(content: Json, options?: AskOptions): Promise<any>;
  /** Sends a value, after everything before it. Resolved when the channel took it, rejected when the peer is gone. */
  send(data: Sendable): Promise<void>;
  /** The same, for the `dm` handlers of the peer. */
  dm(data: Sendable): Promise<void>;
  /** Sends a file. Resolved when the peer has all of it and its hash is right. */
  sendFile(blob: Blob, options?: FileOptions): Promise<void>;
  /** Sends a message to this peer alone, at most 10,000 characters. */
  chat(text: string): void;
  /** Measures the round trip, in milliseconds. */
  ping(): Promise<number>;
  /** Closes the connection until the peer returns in a new session. */
  disconnect(): void;
  /** Blocks the peer's key, now and later, in all tabs, whatever its name is. Rejected with `gone`. */
  block(): Promise<void>;
  /**
   * The person compared the safety number, and it is the same. Rejected with `gone`, or with `refused` if the peer goes by
   * another name than the person saw; then nothing was decided.
   */
  markVerified(options?: DecisionOptions): Promise<void>;
  /** The person says that a known name is right on this key (`name-on-another-key`). Rejected like `markVerified`. */
  acceptKey(options?: DecisionOptions): Promise<void>;
}

/** A room. It is entered at once. */
export class MQTTRTCClient {
  /** @throws TypeError that names the option that does not fit, and what would. */
  constructor(options?: Options);
  /** Calls the handler whenever this happens. A handler that comes late is told what there is. */
  on<E extends keyof Events>(event: E, handler: Events[E]): this;
  /** Calls it no more. */
  off<E extends keyof Events>(event: E, handler: Events[E]): this;
  /** Calls it the next time only. */
  once<E extends keyof Events>(event: E, handler: Events[E]): this;
  /** The peer that goes by this name at the moment. To decide about trust, use the peer that a handler got. */
  getPeer(user: string): Peer | undefined;
  /** The peers that are connected. */
  readonly peers: Peer[];
  /** Their names. */
  readonly users: string[];
  /** One's own name as others see it; empty as long as it is not known. */
  readonly name: string;
  /** The name of the room; empty as long as it is not known. */
  readonly room: string;
  /** The number that two people compare to be sure of each other; `undefined` outside the room. It takes no name. */
  safetyNumber(peer: Peer): string | undefined;
  /** Sends a value to everybody who is connected. Rejected if one of them is gone before it could be sent. */
  send(data: Sendable): Promise<void>;
  /** Asks everybody who is connected, and brings what each of them answered. */
  ask(content: Json): Promise<AskResult[]>;
  ask(topic: string | undefined, content: Json, options?: Omit<AskOptions, "topic">): Promise<AskResult[]>;
  /** Says something to everybody, at most 10,000 characters. */
  chat(text: string): void;
  /** Tells everybody that something is being written. */
  typing(): void;
  /** Answers the questions of this topic. */
  addQuestionHandler(topic: string, handler: QuestionHandler): this;
  /** Goes by another name, and keeps it for the next visit. @throws TypeError if it is no name. */
  changeName(name: string): void;
  /** Enters the room again. Resolved when one is in it, rejected when that is not possible. */
  connect(): Promise<void>;
  /** Leaves the room and frees everything. Handlers stay. */
  disconnect(): void;
  /** Counts since joining; `undefined` outside the room. */
  stats(): Stats | undefined;
}
