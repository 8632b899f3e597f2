// The element <rt-chat>. Its view is another file, which is loaded when the first element is in the page.

import type { RTChatElement, RTChatSayOptions } from "../rtchat.d.ts";
import type { Attach, Host, View } from "./contract.ts";
import { Problem } from "./load.ts";
import { OPTIONS, dashed, json } from "./options.ts";

/** Attributes that can change while the chat keeps running. */
const APPEARANCE = ["theme", "position", "lang"];

let loadView: () => Promise<Attach>;
let views: Promise<Attach> | undefined;

/** Says how the function is loaded that makes views. */
export const viewsFrom = (load: typeof loadView): void => void (loadView = load);

/** Checks the name of a conversation: `#name`, or a public key in base64url. */
function checked(conversation: unknown): string {
  if (typeof conversation === "string" && /^(#.+|[\w-]{44})$/s.test(conversation)) return conversation;
  throw new TypeError('A conversation is a channel, such as "#lobby", or somebody’s key.');
}

export class Chat extends HTMLElement implements Host {
  static observedAttributes = [...Object.keys(OPTIONS).map(dashed), "launcher"];

  status: RTChatElement["status"] = "loading";
  unread = 0;
  mentioned = false;
  unreadIn: Record<string, number> = {};
  people = 0;
  #view: View | undefined;
  /** The conversation that was asked for before there was a view. */
  #wanted: string | undefined;
  #restartQueued = false;

  async connectedCallback(): Promise<void> {
    try {
      const attach = await (views ??= loadView());
      this.#view ??= attach(this);
      if (this.#wanted !== undefined) this.#view.show(this.#wanted);
      this.#wanted = undefined;
      if (this.isConnected) this.#view.begin();
    } catch (error) {
      views = undefined;
      console.warn("rtchat:", error);
      const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
      root.textContent = this.launcher || !(error instanceof Problem) ? "" : error.message;
    }
  }

  disconnectedCallback(): void {
    // An element that is only moved within the page keeps running.
    queueMicrotask(() => {
      if (this.isConnected) return;
      // A bubble beside the page's body is not meant when the page replaces the whole document.
      if (this.launcher && this.parentNode?.nodeName === "HTML") document.documentElement?.append(this);
      else this.#view?.end();
    });
  }

  attributeChangedCallback(attribute: string): void {
    if (attribute === "open") return this.#view?.open(this.open);
    if (APPEARANCE.includes(attribute)) return this.#view?.applyAppearance();
    if (this.#restartQueued) return;
    // Several changes at once cause one restart.
    this.#restartQueued = true;
    queueMicrotask(() => {
      this.#restartQueued = false;
      if (this.isConnected) this.#view?.begin(true);
    });
  }

  show(conversation?: string): void {
    const wanted = conversation === undefined ? "" : checked(conversation);
    if (this.#view) this.#view.show(wanted);
    else this.#wanted = wanted;
  }

  say(text: string, { conversation }: RTChatSayOptions = {}): boolean {
    return this.#view?.say(String(text), conversation === undefined ? undefined : checked(conversation)) ?? false;
  }

  get launcher(): boolean {
    return this.hasAttribute("launcher");
  }
  set launcher(launcher: boolean) {
    this.toggleAttribute("launcher", launcher);
  }
}

export interface Chat {
  open: boolean;
}

// Properties reflect attributes, and are parsed on each access.
for (const name of Object.keys(OPTIONS)) {
  if (name === "lang") continue;
  Object.defineProperty(Chat.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: Chat) {
      const attribute = this.getAttribute(dashed(name));
      const value = attribute === null ? null : OPTIONS[name]!.read(attribute);
      return name === "open" ? value === true : (value ?? null);
    },
    set(this: Chat, value: unknown) {
      if (value == null || value === false) this.removeAttribute(dashed(name));
      else this.setAttribute(dashed(name), value === true ? "" : typeof value === "string" ? value : json(value));
    },
  });
}
