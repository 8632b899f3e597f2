// The view of <rt-chat>: a chat as a part of the page, or behind a bubble in a corner.

import type { RTChatElement, RTChatStatus } from "../rtchat.d.ts";
import type { Files, Host, Mounted, View } from "./contract.ts";
import { Problem, plain } from "./load.ts";
import { OPTIONS, type Source, type Values, dashed, file, json, resolve, settings } from "./options.ts";
import { early } from "./early.ts";
import { BROKEN, panel, panelStyles, program, reportBlockedBroker } from "./program.ts";
import { type Shell, build } from "./shell.ts";

/** The storage key under which a site remembers whether the person opened or closed the bubble last. */
const STORAGE_KEY = "rtchat/open";
/** The time limit for fetching rtchat.json, in milliseconds. */
const FETCH_TIMEOUT = 5_000;
/** The pauses before a file that cannot be read is fetched again, in milliseconds, as in src/settings/web.rs. */
const PAUSES = [500, 2_000];

declare const SHELL: string;

const warn = (sentence: string): void => console.warn(sentence);

/** The names of all options. */
const NAMES = Object.keys(OPTIONS);
/** Options in rtchat.json that the widget reads, and not the program. */
const WIDGET_OPTIONS = ["name", "theme", "position", "open", "lang", "page"];

const lastChoice = {
  // If storage is blocked, the choice is not remembered.
  get(): string | null {
    try {
      return localStorage.getItem(STORAGE_KEY);
    } catch {
      return null;
    }
  },
  set(open: boolean): void {
    try {
      localStorage.setItem(STORAGE_KEY, open ? "1" : "0");
    } catch {
      // As above: the choice is not remembered.
    }
  },
};

const files = new Map<string, Promise<Values>>();

async function readFile(url: string): Promise<Values> {
  const answer = await fetch(url, { cache: "no-cache", signal: AbortSignal.timeout(FETCH_TIMEOUT) }).catch((error: Error) => {
    // Browsers do not tell a page why.
    const why = "the connection may be down, or this page does not allow it (Content-Security-Policy, connect-src)";
    throw error.name === "TypeError" ? new Error(why) : error;
  });
  if (answer.status === 404 || answer.status === 410) return {};
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return file(await answer.arrayBuffer());
}

/**
 * Fetches the site owner's settings. Only a missing file means the defaults.
 *
 * @throws A Problem, after several attempts. The next call tries again.
 */
function fetchFile(url: string): Promise<Values> {
  const read = async (): Promise<Values> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await readFile(url);
      } catch (error) {
        const pause = PAUSES[attempt];
        if (pause === undefined) {
          throw new Problem(`The settings of this chat (${url}) cannot be used: ${(error as Error).message}. Please try again, or tell whoever runs this site.`);
        }
        await new Promise((done) => setTimeout(done, pause));
      }
    }
  };
  const known = files.get(url) ?? read();
  files.set(url, known);
  known.catch(() => files.delete(url));
  return known;
}

/** Calls back once the page has loaded and is idle. */
const whenIdle = (act: () => void): void => {
  const soon = () => ("requestIdleCallback" in window ? requestIdleCallback(act, { timeout: 4_000 }) : setTimeout(act, 300));
  if (document.readyState === "complete") soon();
  else addEventListener("load", soon, { once: true });
};

/** The interval at which the address is read in browsers that do not tell when it changes, in milliseconds. */
const ADDRESS_INTERVAL = 500;

/** Calls back when the address may have changed without the page being loaded, until the signal ends it. */
const whenAddressChanges = (act: () => void, signal: AbortSignal): void => {
  const { navigation } = window as { navigation?: EventTarget };
  if (navigation) return navigation.addEventListener("currententrychange", act, { signal });
  // The other way would be to replace the page's `history.pushState`.
  const timer = setInterval(act, ADDRESS_INTERVAL);
  signal.addEventListener("abort", () => clearInterval(timer));
};

/** Whether elements with a fixed position inside of this one are placed relative to it, and not to the window. */
const takesAlongFixed = (element: Element): boolean => {
  const { transform, translate, scale, rotate, perspective, willChange, contain } = getComputedStyle(element);
  const moves = [transform, translate, scale, rotate, perspective].some((value) => value && value !== "none");
  return moves || /transform|translate|scale|rotate|perspective/.test(willChange) || /paint|layout|strict|content/.test(contain);
};

let styles: CSSStyleSheet | undefined;

/** Where the focus goes when the panel is opened. */
const FIELDS = "[data-testid=composer], [data-testid=name], #early input, #early textarea";

export class ChatView implements View {
  #element: Host;
  #files: Files;
  #shell: Shell;
  #mounted: Mounted | undefined;
  #app: HTMLElement | undefined;
  /** The number of the current run. Results that belong to an earlier run are ignored. */
  #run = 0;
  #open = false;
  #started = false;
  #given: Values = {};
  #file: Values = {};
  /** Why the settings cannot be used. */
  #problem: unknown;
  /** The address of the page whose room this run is in, once it is known. */
  #page: string | undefined;
  /** Removes all listeners outside of the element. */
  #connection: AbortController | undefined;
  #intersection: IntersectionObserver | undefined;

  constructor(element: Host, files: Files) {
    this.#element = element;
    this.#files = files;
    this.#shell = this.#build();
  }

  begin(restart = false): void {
    this.#lift();
    if (!this.#connection) this.#connect();
    else if (!restart) return;
    void this.#start();
  }

  /** Listens to events of the page as long as the element is in it. */
  #connect(): void {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    const onFocusElsewhere = (event: Event) => {
      if (event.composedPath().includes(this.#element)) return;
      const was = this.#shell.frame.hasAttribute("data-here");
      this.#setUsed(false);
      // While the chat covers the page, the focus must not move behind it.
      if (was && event.type === "focusin" && this.#coversPage()) this.#shell.panel.focus();
    };
    for (const type of ["focusin", "pointerdown"]) document.addEventListener(type, onFocusElsewhere, { signal, capture: true });
    const onViolation = (event: SecurityPolicyViolationEvent) => {
      if (this.#mounted) reportBlockedBroker(event, this.#given.brokers ?? this.#file.brokers, this.#mounted);
    };
    document.addEventListener("securitypolicyviolation", onViolation, { signal });
    const onAddress = () => {
      if (this.#page !== undefined && this.#page !== this.#readPage()) void this.#start();
    };
    whenAddressChanges(onAddress, signal);
    const root = new MutationObserver(() => this.#lift());
    root.observe(document.documentElement, { attributeFilter: ["class", "style"] });
    signal.addEventListener("abort", () => root.disconnect());
  }

  /** Puts the bubble into the top layer if the page moves its root element, which would take along all that is fixed in it. */
  #lift(): void {
    const element = this.#element;
    if (!element.launcher || !element.isConnected || !takesAlongFixed(document.documentElement)) return;
    element.popover = "manual";
    if (!element.matches(":popover-open")) element.showPopover?.();
  }

  #build(): Shell {
    const root = this.#element.shadowRoot ?? this.#element.attachShadow({ mode: "open" });
    if (!styles) {
      styles = new CSSStyleSheet();
      styles.replaceSync(SHELL);
    }
    root.adoptedStyleSheets = [styles];
    for (const type of ["focusin", "pointerdown"]) root.addEventListener(type, () => this.#setUsed(true));
    root.addEventListener("keydown", (event) => {
      const dialog = root.querySelector("dialog[open]");
      if ((event as KeyboardEvent).key !== "Escape" || event.defaultPrevented || dialog || !this.#element.launcher) return;
      if (this.#shell.frame.hasAttribute("data-full")) this.#setFull(false);
      else if (this.#open) this.#openByPerson(false);
    });
    // rtchat.ts keeps keys from the page; these are the events that keys cause.
    for (const type of ["input", "beforeinput", "paste", "copy", "cut"]) {
      this.#element.addEventListener(type, (event) => event.stopPropagation());
    }
    const shell = build();
    shell.launcher.onclick = () => this.#openByPerson(!this.#open);
    shell.close.onclick = () => this.#openByPerson(false);
    shell.larger.onclick = () => this.#setFull(!shell.frame.hasAttribute("data-full"));
    return shell;
  }

  /** Reads the current options from the attributes and the file. */
  #readOptions(): Values {
    const attributes: Source = {
      values: Object.fromEntries(NAMES.map((name) => [name, this.#element.getAttribute(dashed(name))])),
      called: dashed,
    };
    // The program itself reads all other options of rtchat.json.
    const widget = Object.fromEntries(WIDGET_OPTIONS.map((name) => [name, this.#file[name]]));
    this.#given = resolve([attributes, { values: widget, called: (option) => `rtchat.json: "${option}"` }], warn);
    return this.#given;
  }

  /** The address of the page that rooms belong to, without what does not count in it (see src/settings/address.rs). */
  #readPage(): string {
    let { href } = location;
    try {
      if (this.#given.page) href = new URL(this.#given.page as string, document.baseURI).href;
    } catch {
      // In a document without an address of its own, the option cannot be relative.
    }
    return href.replace(/[?#].*/s, "").replace(/(\/index\.html?)?\/*$/, "");
  }

  /** Starts the chat, or restarts it with other options. */
  async #start(): Promise<void> {
    this.#unmount();
    const run = ++this.#run;
    const shell = this.#shell;
    shell.launcher.hidden = !this.#element.launcher;
    shell.panel.setAttribute("role", this.#element.launcher ? "dialog" : "region");
    const config = this.#element.getAttribute("config");
    let problem: unknown;
    try {
      const file = config ? plain(config).href : this.#files.settings;
      this.#file = file ? await fetchFile(file) : {};
    } catch (error) {
      this.#file = {};
      problem = error;
    }
    if (run !== this.#run) return;
    this.#problem = problem;
    this.applyAppearance();
    this.#page = this.#readPage();
    const given = this.#given;
    // The frame is not added before its corner is known, so that the bubble does not jump.
    this.#element.shadowRoot!.append(shell.frame);
    if (!this.#element.launcher) {
      shell.panel.inert = false;
      this.#watchVisibility();
      void this.#showEarly(run);
      void this.#load(run);
      return;
    }
    const kept = lastChoice.get();
    // On a small screen an open panel would cover the page.
    const open = this.#wanted !== undefined ? true : this.#started ? this.#open : kept ? kept === "1" && !this.#isSmallScreen() : given.open === true;
    this.#started = true;
    this.#setOpen(open);
    if (!open) {
      whenIdle(() => {
        if (run === this.#run && !this.#mounted) void this.#load(run);
      });
    }
  }

  #loadingRun = 0;

  async #load(run: number): Promise<void> {
    if (this.#loadingRun === run) return;
    this.#loadingRun = run;
    const shell = this.#shell;
    shell.panel.setAttribute("aria-busy", "true");
    try {
      if (this.#problem) throw this.#problem;
      const { mount, knowsName, broken } = await program(this.#files);
      if (run !== this.#run) return;
      const name = this.#given.name as string | undefined;
      // A new visitor is asked for a name when they open the bubble. Until then there is nothing to do.
      if (this.#element.launcher && !this.#open && !name && !knowsName()) return;
      shell.sorry.hidden = true;
      this.#applyAppStyles();
      this.#prepare();
      const { assist, media, calls, store, archive } = this.#files;
      this.#mounted = mount(this.#app!, { page: this.#page!, settings: settings(this.#file, this.#given), ...(name && { name }), assist, media, calls, store, archive }, (kind, details) => {
        if (run === this.#run) this.#onEvent(kind, details);
      });
      this.#mounted.show(this.#visible);
      this.#openWanted();
      (this.#broken = broken).add(this.#onBroken);
    } catch (error) {
      if (run !== this.#run) return;
      if (!(error instanceof Problem)) console.warn("rtchat:", error);
      this.#showProblem(error instanceof Problem ? error.message : "The chat could not start. Please try a current browser.", () => this.#start());
    } finally {
      this.#loadingRun = 0;
      shell.panel.removeAttribute("aria-busy");
    }
  }

  /** Adds the place for the program to the panel. */
  #prepare(...children: Node[]): void {
    if (this.#app) return;
    this.#app = document.createElement("div");
    this.#app.className = "app";
    this.#app.append(...children);
    this.#shell.panel.append(this.#app);
  }

  /** Shows the welcome, or the frame of the room, until the program is there. */
  async #showEarly(run: number): Promise<void> {
    try {
      const elements = await panel(this.#files);
      if (run !== this.#run || this.#app || this.#problem) return;
      this.#applyAppStyles();
      const { room, name } = this.#given as { room?: string; name?: string };
      this.#prepare(early(elements, room, name !== undefined));
      // It was opened by the person, and nothing else has got the focus since.
      const { panel: opened, frame } = this.#shell;
      if (frame.hasAttribute("data-here") && this.#element.shadowRoot!.activeElement === opened) this.#focusField();
    } catch {
      // Loading the program fails for the same reason, and says so.
    }
  }

  #focusField(): void {
    (this.#app?.querySelector<HTMLElement>(FIELDS) ?? this.#shell.panel).focus();
  }

  /** Shows a sentence instead of the chat, and a button to try again. */
  #showProblem(sentence: string, again: () => void): void {
    this.#unmount();
    const { sorry, sentence: text, again: button } = this.#shell;
    text.textContent = sentence;
    button.onclick = () => {
      sorry.hidden = true;
      again();
    };
    sorry.hidden = false;
    this.#setStatus("stopped");
  }

  #onEvent(kind: string, details: Record<string, unknown>): void {
    switch (kind) {
      case "message":
      case "peer":
        return this.#emit(kind, details);
      case "status":
        return this.#setStatus(details.status as RTChatStatus);
      case "counts": {
        const { unread, unreadIn, mentioned, people } = details as Pick<Host, "unread" | "unreadIn" | "mentioned" | "people">;
        const element = this.#element;
        if (unread !== element.unread || mentioned !== element.mentioned || json(unreadIn) !== json(element.unreadIn)) {
          Object.assign(element, { unread, unreadIn, mentioned });
          this.#emit("unread", { unread, unreadIn, mentioned });
        }
        if (people !== this.#element.people) {
          this.#element.people = people;
          this.#emit("status", { status: this.#element.status, people });
        }
        return this.#renderCounts();
      }
      case "restart":
        // The restart must not happen during a call from the program that it ends.
        setTimeout(() => this.#connection && this.#start());
        return;
    }
  }

  #setStatus(status: RTChatElement["status"]): void {
    if (this.#element.status === status) return;
    this.#element.status = status;
    this.#emit("status", { status, people: this.#element.people });
  }

  #emit(kind: string, detail: unknown): void {
    this.#element.dispatchEvent(new CustomEvent(`rtchat-${kind}`, { detail, bubbles: true, composed: true }));
  }

  #broken: Set<() => void> | undefined;

  #onBroken = (): void => {
    // Nothing may call the program any more, and it may be in the middle of a call.
    this.#mounted = undefined;
    queueMicrotask(() => this.#showProblem(BROKEN, () => location.reload()));
  };

  /** Removes the chat, but not the shell around it. */
  #unmount(): void {
    this.#broken?.delete(this.#onBroken);
    const mounted = this.#mounted;
    this.#mounted = undefined;
    // Events that the program sends while it leaves are still handled, because the run has not changed yet.
    try {
      mounted?.unmount();
    } catch (error) {
      console.warn("rtchat:", error);
    }
    // The next try takes over the text that somebody typed before the program was there.
    if (!this.#app?.querySelector("#early")) this.#discard();
    this.#element.unread = this.#element.people = 0;
    this.#element.mentioned = false;
    this.#element.unreadIn = {};
    this.#element.status = "loading";
    this.#renderCounts();
  }

  #discard(): void {
    this.#app?.remove();
    this.#app = undefined;
  }

  end(): void {
    this.#unmount();
    this.#discard();
    this.#run++;
    this.#connection?.abort();
    this.#connection = undefined;
    this.#intersection?.disconnect();
    this.#intersection = undefined;
    this.#started = false;
    this.#setUsed(false);
  }

  applyAppearance(): void {
    if (!this.#connection) return;
    this.#readOptions();
    const { frame } = this.#shell;
    frame.dataset.theme = (this.#given.theme as string) ?? "auto";
    frame.dataset.at = (this.#given.position as string) ?? "bottom-right";
    frame.lang = (this.#given.lang as string) ?? "en";
    // That of all languages so far. Without it, the direction of the page would be inherited.
    frame.dir = "ltr";
  }

  #visible = true;

  #setVisible(visible: boolean): void {
    this.#visible = visible;
    this.#mounted?.show(visible);
  }

  /** A chat that is a part of the page is visible while it is scrolled into view. */
  #watchVisibility(): void {
    if (this.#intersection) return;
    this.#intersection = new IntersectionObserver((entries) => this.#setVisible(entries.at(-1)!.isIntersecting));
    this.#intersection.observe(this.#element);
  }

  #isSmallScreen(): boolean {
    return matchMedia("(max-width: 480px), (max-height: 420px)").matches;
  }

  /** Sets whether the person used the chat last and not the page around it. Only then may the chat move the focus. */
  #setUsed(used: boolean): void {
    this.#shell.frame.toggleAttribute("data-here", used);
  }

  #coversPage(): boolean {
    return this.#element.launcher && this.#open && (this.#isSmallScreen() || this.#shell.frame.hasAttribute("data-full"));
  }

  /** Opens or closes the panel for the person, stores that choice and moves the focus. */
  #openByPerson(open: boolean): void {
    lastChoice.set(open);
    this.#setOpen(open);
    if (!open) return this.#shell.launcher.focus();
    this.#setUsed(true);
    this.#focusField();
  }

  open(open: boolean): void {
    if (this.#started && open !== this.#open) this.#setOpen(open);
  }

  /** The conversation that the page wants to be open; an empty one is whichever is open. */
  #wanted: string | undefined;

  show(conversation: string): void {
    this.#wanted = conversation;
    if (this.#started && !this.#open) this.#setOpen(true);
    this.#openWanted();
  }

  #openWanted(): void {
    if (!this.#mounted) return;
    if (this.#wanted) this.#mounted.open(this.#wanted);
    this.#wanted = undefined;
  }

  say(text: string, conversation: string | undefined): boolean {
    return this.#mounted?.say(text, conversation) ?? false;
  }

  #setOpen(open: boolean): void {
    if (!this.#element.launcher) return;
    const { frame, panel } = this.#shell;
    this.#open = open;
    this.#element.toggleAttribute("open", open);
    frame.toggleAttribute("data-open", open);
    panel.inert = !open;
    if (!open) this.#setFull(false);
    this.#setVisible(open);
    this.#updateModal();
    this.#renderCounts();
    if (!open) return;
    this.#applyAppStyles();
    if (this.#mounted) return;
    void this.#showEarly(this.#run);
    if (this.#started) void this.#load(this.#run);
  }

  /** Adds the program's styles as soon as the chat is visible. */
  #applyAppStyles(): void {
    const { frame } = this.#shell;
    if (this.#element.launcher && !this.#open && !frame.hasAttribute("data-opened")) return;
    frame.toggleAttribute("data-opened", true);
    const root = this.#element.shadowRoot!;
    const app = panelStyles();
    if (app && root.adoptedStyleSheets.length < 2) root.adoptedStyleSheets = [app, styles!];
  }

  #setFull(full: boolean): void {
    const { frame, larger } = this.#shell;
    frame.toggleAttribute("data-full", full);
    larger.ariaLabel = larger.title = full ? "Back to the small panel" : "Full window";
    larger.ariaPressed = String(full);
    this.#updateModal();
  }

  #updateModal(): void {
    this.#shell.panel.ariaModal = this.#coversPage() ? "true" : null;
  }

  /** Updates the counts on the bubble, and its label. */
  #renderCounts(): void {
    const { launcher, unread, people, peopleNumber, announcer } = this.#shell;
    launcher.ariaExpanded = String(this.#open);
    const called = this.#element.mentioned;
    const messages = (this.#element.unread === 1 ? "1 unread message" : `${this.#element.unread} unread messages`) + (called ? ", you are mentioned" : "");
    const label = this.#open ? ["Close the chat"] : ["Open the chat"];
    if (this.#element.unread) label.push(messages);
    if (this.#element.people) label.push(this.#element.people === 1 ? "1 person" : `${this.#element.people} people`);
    launcher.ariaLabel = label.join(", ");
    unread.hidden = !this.#element.unread;
    // A mention has another shape and a sign, not only another colour.
    unread.toggleAttribute("data-called", called);
    unread.textContent = (called ? "@" : "") + (this.#element.unread > 99 ? "99+" : String(this.#element.unread));
    people.hidden = this.#element.people < 2;
    peopleNumber.textContent = String(this.#element.people);
    announcer.textContent = this.#element.unread && !this.#open ? `${messages} in the chat` : "";
  }
}
