// A use of everything in rtchat.d.ts and widget.d.ts. It is compiled, but never run.

import type { RTChatElement, RTChatEventMap, RTChatGlobal, RTChatMessage, RTChatOptions, RTChatPeer } from "../rtchat.js";
import { RTChat, type RTChatStatus } from "../widget.js";

const options: RTChatOptions = {
  room: "help",
  name: "ann",
  brokers: ["wss://broker.example.org/mqtt", { url: "wss://backup.example.org", username: "chat", password: "known" }],
  iceServers: [{ urls: "stun:stun.example.org" }],
  accept: "ask",
  history: "session",
  features: ["files", "channels", "dm", "history"],
  theme: "dark",
  position: "top-left",
  open: true,
  lang: "en",
  page: "/",
  config: "/settings/rtchat.json",
};

const global: RTChatGlobal = RTChat ?? window.RTChat;
const chat: RTChatElement = global.add(options);
const same: RTChatElement | null = global.widget;
const inline = document.createElement("rt-chat");
inline.room = "help";
inline.name = null;
inline.brokers = options.brokers ?? null;
inline.iceServers = null;
inline.accept = "everyone";
inline.history = "off";
inline.features = [];
inline.theme = "auto";
inline.position = "bottom-right";
inline.open = false;
inline.lang = "en";
inline.page = null;
inline.config = null;
inline.launcher = true;
const counts: number = chat.unread + chat.people + (same?.people ?? 0);
const status: RTChatStatus | "loading" | "stopped" = inline.status;

chat.addEventListener("rtchat-message", ({ detail }) => {
  const { id, conversation, text, sender, fingerprint, own, time }: RTChatMessage = detail;
  console.log(id + conversation + text + sender + fingerprint, own, new Date(time), counts, status);
});
chat.addEventListener("rtchat-peer", ({ detail }) => {
  const { user, id, key, fingerprint, state, trust, reason }: RTChatPeer = detail;
  console.log(user + id + key + fingerprint, state === "verified", trust === "name-on-another-key", reason === "left");
});
chat.addEventListener("rtchat-unread", ({ detail: { unread, unreadIn } }) => console.log(unread.toFixed(), unreadIn["#lobby"]));
chat.show();
chat.show("#lobby");
const said: boolean = chat.say("hello") && chat.say("hello", { conversation: "#lobby" });
console.log(said, chat.unreadIn["#lobby"] ?? 0);
const told = ({ detail }: RTChatEventMap["rtchat-status"]): void => console.log(detail.status, detail.people);
inline.addEventListener("rtchat-status", told);
global.remove();

// @ts-expect-error The chat has no calls.
chat.features = ["calls"];
// @ts-expect-error A colour is not a theme.
chat.theme = "purple";
// @ts-expect-error A message is a text.
chat.say(7);
// @ts-expect-error The number is read-only.
chat.unread = 3;
