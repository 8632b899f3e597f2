// Defines <rt-chat> and window.RTChat.

import type { RTChatElement, RTChatGlobal, RTChatOptions } from "../rtchat.d.ts";
import type { Attach } from "./contract.ts";
import { Chat, viewsFrom } from "./element.ts";
import { OPTIONS, dashed, json, resolve } from "./options.ts";

const TAG = "rt-chat";

export const warn = (sentence: string): void => console.warn(sentence);

let widget: RTChatElement | null = null;
/** The options that the page gave to the bubble with `RTChat.add`. */
let given: RTChatOptions = {};
/** The tag that asked for the bubble (`null` if that was no tag of the page), and its options. */
let asking: HTMLScriptElement | null | undefined;
let tagged: RTChatOptions = {};
/** Whether the bubble waits for the page's body. */
let waits = false;

/** The bubble, if it is in the page or about to be added: the page may have removed it. */
const present = (): RTChatElement | null => (waits || widget?.isConnected ? widget : null);

/** Takes the options of a tag: those of the first one, until a page that replaces its body has removed it. */
function take(element: HTMLScriptElement | null, options: RTChatOptions): void {
  if (asking === null || asking?.isConnected) return;
  const known = present();
  for (const name of Object.keys(OPTIONS) as (keyof RTChatOptions)[]) {
    // Whether the panel is open is up to the reader by now. Other options that are set restart the chat, so only those are
    // set that differ from the last tag's.
    if (!known || name === "open" || name in given || json(options[name]) === json(tagged[name])) continue;
    if (options[name] === undefined) known.removeAttribute(dashed(name));
    else Object.assign(known, { [name]: options[name] });
  }
  asking = element;
  tagged = options;
}

/** Adds the bubble, unless it is there already. Scripts pass their tag, because a later copy of rtchat.js calls the first one. */
function add(options: RTChatOptions = {}, from?: HTMLScriptElement | null): RTChatElement {
  if (from !== undefined) {
    take(from, options);
    options = {};
  }
  const known = present();
  if (known) return known;
  given = resolve([{ values: { ...options }, called: (option) => `RTChat.add’s ${option}` }], warn);
  const chat = (widget = document.createElement(TAG));
  chat.launcher = true;
  Object.assign(chat, tagged, given);
  const append = () => {
    waits = false;
    // Beside the body, the bubble stays when the page replaces its body, and in its corner when the page transforms it.
    if (widget === chat) document.documentElement.append(chat);
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

/** Defines everything, unless the page has done so before. `loadView` loads the function that makes views. */
export function define(loadView: () => Promise<Attach>): void {
  if (window.RTChat) return;
  viewsFrom(loadView);
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

/** Adds the bubble that a tag asks for. If the page has several copies of this program, the first one handles the bubble. */
export function addFor(tag: HTMLScriptElement | null, options: RTChatOptions): void {
  (window.RTChat.add as typeof add)(options, tag);
}
