/**
 * Rooms for programs: browsers that opened the same page find each other, prove who they are, and talk directly.
 *
 * What stands here is the module's whole public face. docs/MODULE.md explains it.
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

/** What can be sent. It arrives as what it was: a `Float32Array` as a `Float32Array`, a `Blob` with its type. */
export type Sendable = Json | ArrayBuffer | TypedArray | DataView | Blob;

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
  /** Where name, key and the keys that were met are kept. `memory` forgets them, and is a new identity each time. */
  storage?: "local" | "memory";
  /** Who answers the questions of which topic. */
  questionHandlers?: Record<string, QuestionHandler>;
  /** The address of a `rtchat.json`. Else the one beside the module. */
  config?: string | URL;
}

/** Answers questions. What it returns, or what its promise brings, is the answer; what it throws is told to the asker. */
export type QuestionHandler = (content: Json, sender: string, question: QuestionInfo) => unknown;

/** What belongs to a question. */
export interface QuestionInfo {
  /** The topic, if the asker named one. */
  topic: string | undefined;
  /** Who asks. */
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
export interface IncomingFile {
  /** Plain text on one line, without a path. Like the type it is the sender's choice, and no promise. */
  readonly name: string;
  /** How many bytes it has. More are never taken. */
  readonly size: number;
  /** Its media type, or nothing. */
  readonly type: string;
  /** Takes it. Brings it when everything has come and its hash is right; on the disk, where the browser can. */
  accept(options?: AcceptOptions): Promise<File>;
  /** Does not take it, or no more of it. The sender is told why. */
  refuse(reason?: string): void;
}

/** The events, and what their handlers take. */
export interface Events {
  /** Somebody wants to connect, and is let in if every handler returns true, itself or as a promise. */
  connectionrequest: (user: string, userInfo: UserInfo) => boolean | Promise<boolean>;
  /** Somebody is connected and has proved who they are. */
  connectedtopeer: (user: string, userInfo: UserInfo) => unknown;
  /** Somebody is no longer connected. */
  disconnectedfrompeer: (user: string, reason: GoneReason) => unknown;
  /** Somebody asks. The first handler that returns something has answered. */
  question: QuestionHandler;
  /** Somebody answered a question of ours. */
  answer: (content: Json, sender: string, answer: { question: Json }) => unknown;
  /** Somebody said something, to everybody or to us alone. */
  chat: (text: string, sender: string) => unknown;
  /** Somebody sent something with `dm`. */
  dm: (value: Sendable, sender: string) => unknown;
  /** Somebody sent something with `send`. */
  data: (value: Sendable, sender: string) => unknown;
  /** Somebody wants to send a file. Without a handler it is refused. */
  file: (file: IncomingFile, sender: string) => unknown;
  /** Somebody is writing. */
  typing: (user: string) => unknown;
  /** Somebody goes by another name. Nothing else ever changes a peer's `user`. */
  namechange: (oldUser: string, newUser: string) => unknown;
  /** Somebody proved who they are. */
  validation: (user: string, validation: Validation) => unknown;
  /** Somebody could not prove who they claim to be, and is not connected. */
  validationfailure: (user: string, reason: string) => unknown;
  /** The way to the others changed. */
  status: (status: Status) => unknown;
  /** Something went wrong that nobody waits for: a handler threw, the room cannot be entered. */
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

/** Somebody in the room: one tab of one browser. */
export interface Peer {
  /** The name with the tab number, unique in the room: `ann`, `ann(2)`, `ann (k7qd)`, `ann (k7qd)(2)`. */
  readonly user: string;
  /** What their program tells about them. */
  readonly userInfo: UserInfo;
  /** Names this tab and this session. */
  readonly id: string;
  /** Their key, in sixteen characters. */
  readonly fingerprint: string;
  readonly state: PeerState;
  readonly trust: Trust;
  /** Asks a question. Rejected if no answer comes, with the code `timeout`, `gone` or `failed`. */
  ask(content: Json, options?: AskOptions): Promise<any>;
  /** Sends a value, after everything before it. Resolved when the channel took it, rejected when the peer is gone. */
  send(data: Sendable): Promise<void>;
  /** The same, for the other's `dm` handlers. */
  dm(data: Sendable): Promise<void>;
  /** Sends a file. Resolved when they have all of it and its hash is right. */
  sendFile(blob: Blob, options?: FileOptions): Promise<void>;
  /** Says something to this peer alone, at most 10,000 characters. */
  chat(text: string): void;
  /** How many milliseconds it takes to there and back. */
  ping(): Promise<number>;
  /** Closes the connection, until they come back in a new session. */
  disconnect(): void;
  /** Has nothing to do with their key, now and later. */
  block(): void;
  /** The safety number was compared and is the same. */
  markVerified(): void;
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
  /** The peer that goes by this name at the moment. */
  getPeer(user: string): Peer | undefined;
  /** The peers that are connected. */
  readonly peers: Peer[];
  /** Their names. */
  readonly users: string[];
  /** One's own name as others see it; empty as long as it is not known. */
  readonly name: string;
  /** The name of the room; empty as long as it is not known. */
  readonly room: string;
  /** The number that two people compare to be sure of each other; `undefined` if there is no such peer. */
  safetyNumber(user: string): string | undefined;
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
  /** What was counted since joining; `undefined` outside the room. */
  stats(): Stats | undefined;
}
