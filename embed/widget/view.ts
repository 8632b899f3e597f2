// What <rt-chat> shows: a chat as a part of the page, or behind a bubble in a corner.

import type { RTChatElement, RTChatStatus } from "../rtchat.d.ts";
import type { Attach, Host, View } from "./contract.ts";
import { type Origin, Problem } from "./load.ts";
import { OPTIONS, type Source, type Values, dashed, file, resolve, settings } from "./options.ts";
import { type Mounted, type Program, forbidden, program } from "./program.ts";
import { type Shell, build } from "./shell.ts";

/** Whether the person closed or opened the bubble last, kept for this site. */
const MEMORY = "rtchat/open";
/** How long a server may take for rtchat.json. */
const PATIENCE = 5_000;

declare const SHELL: string;

const warn = (sentence: string): void => console.warn(sentence);

/** Of the element's own options. */
const NAMES = Object.keys(OPTIONS);
/** What the program itself does not read from rtchat.json. */
const AROUND = ["name", "theme", "position", "open", "lang"];

const memory = {
  // Where storage is blocked, it is forgotten.
  get(): string | null {
    try {
      return localStorage.getItem(MEMORY);
    } catch {
      return null;
    }
  },
  set(open: boolean): void {
    try {
      localStorage.setItem(MEMORY, open ? "1" : "0");
    } catch {
      // See above.
    }
  },
};

const files = new Map<string, Promise<Values>>();

/** The site owner's settings. None at all are nothing to warn about. */
const fileAt = (url: string): Promise<Values> => {
  const read = async (): Promise<Values> => {
    try {
      const answer = await fetch(url, { cache: "no-cache", credentials: "omit", signal: AbortSignal.timeout(PATIENCE) });
      if (answer.status === 404 || answer.status === 410) return {};
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      return file(await answer.text(), warn);
    } catch (error) {
      warn(`rtchat: ${url} could not be loaded (${(error as Error).message}). The defaults are used.`);
      return {};
    }
  };
  const known = files.get(url) ?? read();
  files.set(url, known);
  return known;
};

/** When the page has nothing better to do. */
const idle = (act: () => void): void => {
  const soon = () => ("requestIdleCallback" in window ? requestIdleCallback(act, { timeout: 4_000 }) : setTimeout(act, 300));
  if (document.readyState === "complete") soon();
  else addEventListener("load", soon, { once: true });
};

let styles: CSSStyleSheet | undefined;

class Shown implements View {
  #element: Host;
  #origin: Origin;
  #shell: Shell;
  #mounted: Mounted | undefined;
  #app: HTMLElement | undefined;
  #styles: Program["styles"] | undefined;
  /** Counts beginnings; whatever belongs to an earlier one is void. */
  #run = 0;
  #open = false;
  #started = false;
  #given: Values = {};
  #file: Values = {};
  /** Ends all listeners outside of the element. */
  #connection: AbortController | undefined;
  #seen: IntersectionObserver | undefined;

  constructor(element: Host, origin: Origin) {
    this.#element = element;
    this.#origin = origin;
    this.#shell = this.#build();
  }

  begin(anew = false): void {
    if (!this.#connection) this.#connect();
    else if (!anew) return;
    void this.#begin();
  }

  /** Listens to the page for as long as the element is in it. */
  #connect(): void {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    const elsewhere = (event: Event) => {
      if (event.composedPath().includes(this.#element)) return;
      const was = this.#shell.frame.hasAttribute("data-here");
      this.#here(false);
      // What covers the page keeps the keyboard as well, once it has it.
      if (was && event.type === "focusin" && this.#covers()) this.#shell.panel.focus();
    };
    for (const type of ["focusin", "pointerdown"]) document.addEventListener(type, elsewhere, { signal, capture: true });
    const violated = (event: SecurityPolicyViolationEvent) => {
      if (this.#mounted) forbidden(event, this.#given.brokers ?? this.#file.brokers, this.#mounted);
    };
    document.addEventListener("securitypolicyviolation", violated, { signal });
  }

  #build(): Shell {
    const root = this.#element.shadowRoot ?? this.#element.attachShadow({ mode: "open" });
    if (!styles) {
      styles = new CSSStyleSheet();
      styles.replaceSync(SHELL);
    }
    root.adoptedStyleSheets = [styles];
    for (const type of ["focusin", "pointerdown"]) root.addEventListener(type, () => this.#here(true));
    root.addEventListener("keydown", (event) => {
      const dialog = root.querySelector("dialog[open]");
      if ((event as KeyboardEvent).key !== "Escape" || event.defaultPrevented || dialog || !this.#element.launcher) return;
      if (this.#shell.frame.hasAttribute("data-full")) this.#full(false);
      else if (this.#open) this.#person(false);
    });
    // Keys are kept away from the page in rtchat.ts; this is for what they cause.
    for (const type of ["input", "beforeinput", "paste", "copy", "cut"]) {
      this.#element.addEventListener(type, (event) => event.stopPropagation());
    }
    const shell = build();
    shell.launcher.onclick = () => this.#person(!this.#open);
    shell.close.onclick = () => this.#person(false);
    shell.larger.onclick = () => this.#full(!shell.frame.hasAttribute("data-full"));
    return shell;
  }

  /** The options as they are now, from attributes and the file. */
  #options(): Values {
    const attributes: Source = {
      values: Object.fromEntries(NAMES.map((name) => [name, this.#element.getAttribute(dashed(name))])),
      called: dashed,
    };
    // What rtchat.json shares with the page itself, the program reads.
    const around = Object.fromEntries(AROUND.map((name) => [name, this.#file[name]]));
    this.#given = resolve([attributes, { values: around, called: (option) => `rtchat.json: "${option}"` }], warn);
    return this.#given;
  }

  /** Begins, or begins anew with other options. */
  async #begin(): Promise<void> {
    this.#drop();
    const run = ++this.#run;
    const shell = this.#shell;
    shell.launcher.hidden = !this.#element.launcher;
    shell.panel.setAttribute("role", this.#element.launcher ? "dialog" : "region");
    const config = this.#element.getAttribute("config");
    this.#file = await fileAt(config ? new URL(config, document.baseURI).href : new URL("rtchat.json", this.#origin.base).href);
    if (run !== this.#run) return;
    this.dress();
    const given = this.#given;
    // Not before: a bubble must not jump from one corner to another.
    this.#element.shadowRoot!.append(shell.frame);
    if (!this.#element.launcher) {
      shell.panel.inert = false;
      this.#watch();
      void this.#load(run);
      return;
    }
    const kept = memory.get();
    // On a small screen it would cover what the person came for.
    const open = this.#started ? this.#open : kept ? kept === "1" && !this.#small() : given.open === true;
    this.#started = true;
    this.#toggle(open);
    if (!open) {
      idle(() => {
        if (run === this.#run && !this.#mounted) void this.#load(run);
      });
    }
  }

  #loading = 0;

  async #load(run: number): Promise<void> {
    if (this.#loading === run) return;
    this.#loading = run;
    const shell = this.#shell;
    shell.panel.setAttribute("aria-busy", "true");
    try {
      const { mount, knowsName, styles: app } = await program(this.#origin);
      if (run !== this.#run) return;
      const name = this.#given.name as string | undefined;
      // Whoever is new is asked for a name when they open the bubble, and until then there is nothing to do.
      if (this.#element.launcher && !this.#open && !name && !knowsName()) return;
      shell.sorry.hidden = true;
      this.#styles = app;
      this.#dressApp();
      this.#app = document.createElement("div");
      this.#app.className = "app";
      shell.panel.append(this.#app);
      const own = Object.fromEntries(["room", "brokers", "iceServers", "accept"].filter((key) => key in this.#given).map((key) => [key, this.#given[key]]));
      this.#mounted = mount(this.#app, { settings: settings(this.#file, own), ...(name && { name }) }, (what, details) => {
        if (run === this.#run) this.#hear(what, details);
      });
      this.#mounted.show(this.#shown);
    } catch (error) {
      if (run !== this.#run) return;
      if (!(error instanceof Problem)) console.warn("rtchat:", error);
      this.#stop(error instanceof Problem ? error.message : "The chat could not start. Please try a current browser.", () => this.#begin());
    } finally {
      this.#loading = 0;
      shell.panel.removeAttribute("aria-busy");
    }
  }

  /** A sentence in place of the chat, and a way out. */
  #stop(sentence: string, again: () => void): void {
    this.#drop();
    const { sorry, sentence: text, again: button } = this.#shell;
    text.textContent = sentence;
    button.onclick = () => {
      sorry.hidden = true;
      again();
    };
    sorry.hidden = false;
    this.#tell("stopped");
  }

  #hear(what: string, details: Record<string, unknown>): void {
    switch (what) {
      case "message":
      case "peer":
        return this.#emit(what, details);
      case "status":
        return this.#tell(details.status as RTChatStatus);
      case "counts": {
        const { unread, people } = details as { unread: number; people: number };
        if (unread !== this.#element.unread) {
          this.#element.unread = unread;
          this.#emit("unread", { unread });
        }
        if (people !== this.#element.people) {
          this.#element.people = people;
          this.#emit("status", { status: this.#element.status, people });
        }
        return this.#count();
      }
      case "restart":
        // Not from inside of the program that is to end.
        setTimeout(() => this.#connection && this.#begin());
        return;
      case "broke":
        // The program cannot be called any more.
        this.#mounted = undefined;
        this.#stop("The chat stopped working. Reload the page to come back.", () => location.reload());
    }
  }

  #tell(status: RTChatElement["status"]): void {
    if (this.#element.status === status) return;
    this.#element.status = status;
    this.#emit("status", { status, people: this.#element.people });
  }

  #emit(what: string, detail: unknown): void {
    this.#element.dispatchEvent(new CustomEvent(`rtchat-${what}`, { detail, bubbles: true, composed: true }));
  }

  /** Ends the chat, but not the shell around it. */
  #drop(): void {
    const mounted = this.#mounted;
    this.#mounted = undefined;
    // What it says while it leaves is still heard.
    try {
      mounted?.unmount();
    } catch (error) {
      console.warn("rtchat:", error);
    }
    this.#app?.remove();
    this.#app = undefined;
    this.#element.unread = this.#element.people = 0;
    this.#element.status = "loading";
    this.#count();
  }

  end(): void {
    this.#drop();
    this.#run++;
    this.#connection?.abort();
    this.#connection = undefined;
    this.#seen?.disconnect();
    this.#seen = undefined;
    this.#started = false;
    this.#here(false);
  }

  dress(): void {
    if (!this.#connection) return;
    this.#options();
    const { frame } = this.#shell;
    frame.dataset.theme = (this.#given.theme as string) ?? "auto";
    frame.dataset.at = (this.#given.position as string) ?? "bottom-right";
    frame.lang = (this.#given.lang as string) ?? "en";
  }

  #shown = true;

  #show(shown: boolean): void {
    this.#shown = shown;
    this.#mounted?.show(shown);
  }

  /** A part of the page is seen while it is in view. */
  #watch(): void {
    if (this.#seen) return;
    this.#seen = new IntersectionObserver((entries) => this.#show(entries.at(-1)!.isIntersecting));
    this.#seen.observe(this.#element);
  }

  #small(): boolean {
    return matchMedia("(max-width: 480px), (max-height: 420px)").matches;
  }

  /** Whether the person used the chat last, and not the page around it: only then may the chat move the focus. */
  #here(here: boolean): void {
    this.#shell.frame.toggleAttribute("data-here", here);
  }

  #covers(): boolean {
    return this.#element.launcher && this.#open && (this.#small() || this.#shell.frame.hasAttribute("data-full"));
  }

  /** What the person wants is kept, and the focus goes along. */
  #person(open: boolean): void {
    const { launcher, panel } = this.#shell;
    memory.set(open);
    this.#toggle(open);
    if (!open) return launcher.focus();
    this.#here(true);
    const field = this.#app?.querySelector<HTMLElement>("[data-testid=composer], [data-testid=name]");
    (field ?? panel).focus();
  }

  open(open: boolean): void {
    if (this.#started && open !== this.#open) this.#toggle(open);
  }

  #toggle(open: boolean): void {
    if (!this.#element.launcher) return;
    const { frame, panel } = this.#shell;
    this.#open = open;
    this.#element.toggleAttribute("open", open);
    frame.toggleAttribute("data-open", open);
    panel.inert = !open;
    if (!open) this.#full(false);
    this.#show(open);
    this.#cover();
    this.#count();
    if (open) this.#dressApp();
    if (open && !this.#mounted && this.#started) void this.#load(this.#run);
  }

  /** The program's own styles, as soon as there is something to see. */
  #dressApp(): void {
    const { frame } = this.#shell;
    if (this.#element.launcher && !this.#open && !frame.hasAttribute("data-opened")) return;
    frame.toggleAttribute("data-opened", true);
    const root = this.#element.shadowRoot!;
    if (this.#styles && root.adoptedStyleSheets.length < 2) root.adoptedStyleSheets = [this.#styles(), styles!];
  }

  #full(full: boolean): void {
    const { frame, larger } = this.#shell;
    frame.toggleAttribute("data-full", full);
    larger.ariaLabel = larger.title = full ? "Back to the small panel" : "Full window";
    larger.ariaPressed = String(full);
    this.#cover();
  }

  #cover(): void {
    this.#shell.panel.ariaModal = this.#covers() ? "true" : null;
  }

  /** The counts on the bubble, and its name. */
  #count(): void {
    const { launcher, unread, people, peopleNumber, say } = this.#shell;
    launcher.ariaExpanded = String(this.#open);
    const messages = this.#element.unread === 1 ? "1 unread message" : `${this.#element.unread} unread messages`;
    const label = this.#open ? ["Close the chat"] : ["Open the chat"];
    if (this.#element.unread) label.push(messages);
    if (this.#element.people) label.push(this.#element.people === 1 ? "1 person" : `${this.#element.people} people`);
    launcher.ariaLabel = label.join(", ");
    unread.hidden = !this.#element.unread;
    unread.textContent = this.#element.unread > 99 ? "99+" : String(this.#element.unread);
    people.hidden = this.#element.people < 2;
    peopleNumber.textContent = String(this.#element.people);
    say.textContent = this.#element.unread && !this.#open ? `${messages} in the chat` : "";
  }
}

export const attach: Attach = (element, origin) => new Shown(element, origin);
