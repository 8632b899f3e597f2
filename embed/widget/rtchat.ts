// rtchat.js: the script tag. Defines <rt-chat> and window.RTChat; with ?add it adds the bubble.
//
// One file for classic scripts and modules, which cannot say `import.meta`: a module finds its address in a stack trace.

import type { RTChatElement, RTChatGlobal, RTChatOptions } from "../rtchat.d.ts";
import { Chat } from "./element.ts";
import { origin } from "./load.ts";
import { type Source, dashed, query, resolve } from "./options.ts";

const TAG = "rt-chat";

const warn = (sentence: string): void => console.warn(sentence);

/** This script's element, if it has one, and its address. */
function ownScript(): { tag: HTMLScriptElement | null; url: URL } {
  const current = document.currentScript as HTMLScriptElement | null;
  if (current?.src) return { tag: current, url: new URL(current.src) };
  const scripts = [...document.querySelectorAll<HTMLScriptElement>("script[src]")];
  const traced = /(?:https?|file):\/\/[^\s()]+?(?=:\d+:\d+)/.exec(new Error().stack ?? "")?.[0];
  const tag = scripts.find((script) => script.src.split("#")[0] === traced) ?? (traced ? null : scripts.find((script) => /\brtchat\.js\b/.test(script.src)));
  return { tag: tag ?? null, url: new URL(traced ?? tag?.src ?? document.baseURI) };
}

let widget: RTChatElement | null = null;
/** Whether it waits for a body to be put into. */
let waits = false;

/** The bubble, if it is in the page or about to be: the page may have taken it out by itself. */
const there = (): RTChatElement | null => (waits || widget?.isConnected ? widget : null);

/** Adds the bubble, unless there is one. */
function add(options: RTChatOptions = {}): RTChatElement {
  const known = there();
  if (known) return known;
  const chat = (widget = document.createElement(TAG));
  chat.launcher = true;
  Object.assign(chat, resolve([{ values: { ...options }, called: (option) => `RTChat.add’s ${option}` }], warn));
  const append = () => {
    waits = false;
    if (widget === chat) document.body.append(chat);
  };
  waits = !document.body;
  if (waits) addEventListener("DOMContentLoaded", append, { once: true });
  else append();
  return chat;
}

/** What the chat reads of a key. */
const KEY = ["key", "code", "location", "ctrlKey", "shiftKey", "altKey", "metaKey", "repeat", "isComposing", "keyCode", "charCode"] as const;

/** Keys that are pressed in a chat are none of the page's business, not even where it listens before everybody else. So they are caught first, and pressed again inside. */
function keepKeys(event: KeyboardEvent): void {
  const path = event.composedPath();
  if (!path.some((target) => target instanceof Chat)) return;
  event.stopImmediatePropagation();
  // Not a new KeyboardEvent: in Firefox those leave the tree that they are pressed in, whatever they are told.
  const again = Object.setPrototypeOf(new Event(event.type, { bubbles: true, cancelable: true }), KeyboardEvent.prototype) as Event;
  for (const name of KEY) Object.defineProperty(again, name, { value: event[name] });
  if (!path[0]!.dispatchEvent(again)) event.preventDefault();
}

function start(): void {
  const { tag, url } = ownScript();
  const { add: wanted, source } = query(url.searchParams);
  if (!window.RTChat) {
    origin.base = url.href;
    origin.nonce = tag?.nonce ?? "";
    for (const type of ["keydown", "keypress", "keyup"] as const) addEventListener(type, keepKeys, true);
    window.RTChat = {
      add,
      remove() {
        widget?.remove();
        widget = null;
      },
      get widget() {
        return there();
      },
    } satisfies RTChatGlobal;
    customElements.define(TAG, Chat);
  }
  if (wanted) {
    const attributes: Source = { values: { ...tag?.dataset }, called: (option) => `data-${dashed(option)}` };
    // Of whichever copy of this script was first.
    window.RTChat.add(resolve([attributes, source], warn) as RTChatOptions);
  }
}

try {
  start();
} catch (error) {
  // Whatever it is, the page goes on without a chat.
  console.warn("rtchat:", error);
}
