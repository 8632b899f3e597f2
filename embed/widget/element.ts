// <rt-chat>, as pages see it. What it shows is another file, which is loaded once an element is there.

import type { RTChatElement } from "../rtchat.d.ts";
import type { Attach, Host, View } from "./contract.ts";
import { type Asset, Problem, module, origin } from "./load.ts";
import { OPTIONS, dashed } from "./options.ts";

declare const VIEW: Asset;

/** What can change while the chat stays. */
const LIGHT = ["theme", "position", "lang"];

let views: Promise<{ attach: Attach }> | undefined;

export class Chat extends HTMLElement implements Host {
  static observedAttributes = [...Object.keys(OPTIONS).map(dashed), "launcher"];

  status: RTChatElement["status"] = "loading";
  unread = 0;
  people = 0;
  #view: View | undefined;
  #changed = false;

  async connectedCallback(): Promise<void> {
    try {
      const { attach } = await (views ??= module(VIEW, origin));
      this.#view ??= attach(this, origin);
      if (this.isConnected) this.#view.begin();
    } catch (error) {
      views = undefined;
      console.warn("rtchat:", error);
      const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
      root.textContent = this.launcher || !(error instanceof Problem) ? "" : error.message;
    }
  }

  disconnectedCallback(): void {
    // Moved from one place to another, it goes on.
    queueMicrotask(() => {
      if (!this.isConnected) this.#view?.end();
    });
  }

  attributeChangedCallback(attribute: string): void {
    if (attribute === "open") return this.#view?.open(this.open);
    if (LIGHT.includes(attribute)) return this.#view?.dress();
    if (this.#changed) return;
    // Several changes at once are one.
    this.#changed = true;
    queueMicrotask(() => {
      this.#changed = false;
      if (this.isConnected) this.#view?.begin(true);
    });
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

// Properties are attributes, read as they are used.
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
      else this.setAttribute(dashed(name), value === true ? "" : typeof value === "string" ? value : JSON.stringify(value));
    },
  });
}
