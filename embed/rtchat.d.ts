// What rtchat.js offers to a page. Every name in here is kept.

/** A broker to meet at. */
export type RTChatBroker = string | { url: string; username?: string; password?: string };

/** The options of a chat. All can be left out; docs/EMBEDDING.md says what happens then. */
export interface RTChatOptions {
  /** The room; at most 64 characters. */
  room?: string;
  /** The person's name, if the site knows it. They are not asked then. */
  name?: string;
  brokers?: RTChatBroker[];
  iceServers?: RTCIceServer[];
  accept?: "everyone" | "ask" | "known";
  theme?: "auto" | "light" | "dark";
  position?: "bottom-right" | "bottom-left" | "top-right" | "top-left";
  open?: boolean;
  lang?: "en";
  /** The address of a rtchat.json. */
  config?: string;
}

export type RTChatStatus =
  | "joining" | "looking" | "connected" | "reconnecting" | "unreachable" | "full" | "left";

export interface RTChatMessage {
  id: string;
  text: string;
  /** The sender's name, as others see it. It may pass to somebody else. */
  sender: string;
  /** The sender's key, in sixteen characters. */
  fingerprint: string;
  /** Whether it was said here. */
  own: boolean;
  /** When, in milliseconds since 1970. */
  time: number;
}

export interface RTChatPeer {
  /** The name, unique in the room. */
  user: string;
  id: string;
  fingerprint: string;
  state: "connecting" | "verifying" | "verified" | "reconnecting" | "failed" | "gone";
  /** What is known of their key. */
  trust: "new" | "known" | "verified" | "name-on-another-key";
  /** Why they are gone; null while they are not. */
  reason: "left" | "silent" | "unreachable" | "blocked" | "disconnected" | null;
}

/** `<rt-chat>`. */
export interface RTChatElement extends HTMLElement {
  room: string | null;
  name: string | null;
  brokers: RTChatBroker[] | null;
  iceServers: RTCIceServer[] | null;
  accept: "everyone" | "ask" | "known" | null;
  theme: "auto" | "light" | "dark" | null;
  position: "bottom-right" | "bottom-left" | "top-right" | "top-left" | null;
  open: boolean;
  lang: string;
  config: string | null;
  /** A bubble in a corner, instead of a part of the page. */
  launcher: boolean;
  /** How many messages were not seen yet. */
  readonly unread: number;
  /** How many people are connected, this one among them; 0 before joining. */
  readonly people: number;
  readonly status: RTChatStatus | "loading" | "stopped";
}

export interface RTChatEventMap {
  "rtchat-message": CustomEvent<RTChatMessage>;
  "rtchat-peer": CustomEvent<RTChatPeer>;
  "rtchat-unread": CustomEvent<{ unread: number }>;
  "rtchat-status": CustomEvent<{ status: RTChatElement["status"]; people: number }>;
}

/** `window.RTChat`. */
export interface RTChatGlobal {
  /** Adds the bubble, unless there is one, and returns it. */
  add(options?: RTChatOptions): RTChatElement;
  /** Takes the bubble away: leaves the room and frees everything. */
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
