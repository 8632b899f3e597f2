// The public interface of rtchat.js. Every name in it is kept.

/** An MQTT broker. */
export type RTChatBroker = string | { url: string; username?: string; password?: string };

/** What a site can leave out of the chat: files, channels beside the first one, conversations with one person, and keeping what is said. */
export type RTChatFeature = "files" | "channels" | "dm" | "history";

/** The options of a chat. All are optional; docs/EMBEDDING.md lists the defaults. */
export interface RTChatOptions {
  /** The name of the room; at most 64 characters. */
  room?: string;
  /** The person's name, if the site knows it. The chat does not ask for it then. */
  name?: string;
  brokers?: RTChatBroker[];
  iceServers?: RTCIceServer[];
  accept?: "everyone" | "ask" | "known";
  /** How long the browser keeps what is said, unless the reader chooses something else. */
  history?: "off" | "session" | "kept";
  calls?: "off" | "audio" | "video";
  /** What the chat has; what is not named is off. Without the option, it has everything. */
  features?: RTChatFeature[];
  theme?: "auto" | "light" | "dark";
  position?: "bottom-right" | "bottom-left" | "top-right" | "top-left";
  open?: boolean;
  lang?: "en";
  /** The address of the page whose rooms are used, in place of the address that is shown. */
  page?: string;
  /** The address of a rtchat.json. */
  config?: string;
}

export type RTChatStatus =
  | "joining" | "looking" | "connected" | "reconnecting" | "no-path" | "unreachable" | "refused" | "full" | "left";

/** Options of `say`. */
export interface RTChatSayOptions {
  /** `#name` of a channel, or somebody's public key. Without it, the first channel. */
  conversation?: string;
}

export interface RTChatMessage {
  id: string;
  /** Where it was said: `#name` of a channel, or the other person's public key. */
  conversation: string;
  text: string;
  /** The file beside the message, as its sender describes it; null if there is none. */
  file: { name: string; size: number; type: string } | null;
  /** The sender's name, as others see it. Somebody else can have it later. */
  sender: string;
  /** The fingerprint of the sender's key, in sixteen characters. */
  fingerprint: string;
  /** Whether the person at this browser sent the message. */
  own: boolean;
  /** The time, in milliseconds since 1970. */
  time: number;
}

export interface RTChatPeer {
  /** The name, which is unique in the room. */
  user: string;
  id: string;
  /** The public key, which names the conversation with them. */
  key: string;
  /** The key's fingerprint, for people to read. */
  fingerprint: string;
  state: "connecting" | "verifying" | "verified" | "reconnecting" | "no-path" | "failed" | "gone";
  /** The trust in their key. */
  trust: "new" | "known" | "verified" | "name-on-another-key";
  /** The reason why they are gone; null otherwise. */
  reason: "left" | "silent" | "unreachable" | "blocked" | "disconnected" | null;
}

/** The element `<rt-chat>`. */
export interface RTChatElement extends HTMLElement {
  room: string | null;
  name: string | null;
  brokers: RTChatBroker[] | null;
  iceServers: RTCIceServer[] | null;
  accept: "everyone" | "ask" | "known" | null;
  history: "off" | "session" | "kept" | null;
  calls: "off" | "audio" | "video" | null;
  features: RTChatFeature[] | null;
  theme: "auto" | "light" | "dark" | null;
  position: "bottom-right" | "bottom-left" | "top-right" | "top-left" | null;
  open: boolean;
  lang: string;
  page: string | null;
  config: string | null;
  /** Whether the chat is a bubble in a corner and not a part of the page. */
  launcher: boolean;
  /** The number of unread messages in all conversations, and of people who ask to be let in. */
  readonly unread: number;
  /** Whether one of them mentions this person. */
  readonly mentioned: boolean;
  /** The number of unread messages in each conversation that has any: by `#name`, or by the other person's public key. */
  readonly unreadIn: Readonly<Record<string, number>>;
  /** The number of connected people, including this person; 0 before joining. */
  readonly people: number;
  readonly status: RTChatStatus | "loading" | "stopped";
  /**
   * Opens the panel, at a conversation if one is named: `#name` of a channel, or somebody's public key.
   *
   * @throws TypeError if it is neither.
   */
  show(conversation?: string): void;
  /**
   * Says something in the reader's name. What cannot be sent, the chat tells the reader. Returns false if the reader is not in
   * the room.
   *
   * @throws TypeError if the conversation is neither `#name` nor a public key.
   */
  say(text: string, options?: RTChatSayOptions): boolean;
}

export interface RTChatEventMap {
  "rtchat-message": CustomEvent<RTChatMessage>;
  "rtchat-peer": CustomEvent<RTChatPeer>;
  "rtchat-unread": CustomEvent<{ unread: number; unreadIn: Readonly<Record<string, number>>; mentioned: boolean }>;
  "rtchat-status": CustomEvent<{ status: RTChatElement["status"]; people: number }>;
}

/** The type of `window.RTChat`. */
export interface RTChatGlobal {
  /** Adds the bubble, unless there is one, and returns it. */
  add(options?: RTChatOptions): RTChatElement;
  /** Removes the bubble, leaves the room and frees everything. */
  remove(): void;
  /** The bubble, if there is one. */
  readonly widget: RTChatElement | null;
}

declare global {
  interface Window {
    RTChat: RTChatGlobal;
  }
  interface HTMLElementTagNameMap {
    "rt-chat": RTChatElement;
  }
  interface HTMLElementEventMap extends RTChatEventMap {}
}
