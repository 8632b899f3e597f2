// rtchat.js, the file of the script tag. It defines <rt-chat> and window.RTChat; with ?add it adds the bubble.
//
// The same file works as a classic script and as a module, so it cannot use `import.meta`. A module finds its address in a
// stack trace.

import type { RTChatElement, RTChatGlobal, RTChatOptions } from "../rtchat.d.ts";
import { Chat } from "./element.ts";
import { origin } from "./load.ts";
import { type Source, dashed, query, resolve } from "./options.ts";

const TAG = "rt-chat";

const warn = (sentence: string): void => console.warn(sentence);

/** The element of this script, if there is one, and its address. */
function ownScript(): { tag: HTMLScriptElement | null; url: URL } {
  const current = document.currentScript as HTMLScriptElement | null;
  if (current?.src) return { tag: current, url: new URL(current.src) };
  const scripts = [...document.querySelectorAll<HTMLScriptElement>("script[src]")];
  const traced = /(?:https?|file):\/\/[^\s()]+?(?=:\d+:\d+)/.exec(new Error().stack ?? "")?.[0];
  const tag = scripts.find((script) => script.src.split("#")[0] === traced) ?? (traced ? null : scripts.find((script) => /\brtchat\.js\b/.test(script.src)));
  return { tag: tag ?? null, url: new URL(traced ?? tag?.src ?? document.baseURI) };
}

let widget: RTChatElement | null = null;
/** Whether the bubble waits for the page's body. */
let waits = false;

/** The bubble, if it is in the page or about to be added: the page may have removed it. */
const present = (): RTChatElement | null => (waits || widget?.isConnected ? widget : null);

/** Adds the bubble, unless it is there already. */
function add(options: RTChatOptions = {}): RTChatElement {
  const known = present();
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

/** The properties of a keyboard event that the chat reads. */
const KEY_PROPERTIES = ["key", "code", "location", "ctrlKey", "shiftKey", "altKey", "metaKey", "repeat", "isComposing", "keyCode", "charCode"] as const;

/** Keeps keys that are pressed in a chat from the page, even from its listeners in the capture phase: stops the event and dispatches a copy inside of the chat. */
function keepKeys(event: KeyboardEvent): void {
  const path = event.composedPath();
  if (!path.some((target) => target instanceof Chat)) return;
  event.stopImmediatePropagation();
  // The copy is not a new KeyboardEvent, because in Firefox those leave the shadow tree even if they are not composed.
  const again = Object.setPrototypeOf(new Event(event.type, { bubbles: true, cancelable: true }), KeyboardEvent.prototype) as Event;
  for (const name of KEY_PROPERTIES) Object.defineProperty(again, name, { value: event[name] });
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
        return present();
      },
    } satisfies RTChatGlobal;
    customElements.define(TAG, Chat);
  }
  if (wanted) {
    const attributes: Source = { values: { ...tag?.dataset }, called: (option) => `data-${dashed(option)}` };
    // If the page has several copies of this script, the first one handles the bubble.
    window.RTChat.add(resolve([attributes, source], warn) as RTChatOptions);
  }
}

try {
  start();
} catch (error) {
  // Whatever the error is, the page works on without a chat.
  console.warn("rtchat:", error);
}
