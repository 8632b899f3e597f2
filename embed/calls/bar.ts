// The bar of the stage: faces, the state of the call, at most six round buttons, and what opens beside them.

import { element } from "../assist/elements.ts";
import type { OwnCall, View } from "./contract.ts";
import { type Hint, canChooseSpeaker, canShareScreen } from "./devices.ts";
import { clock } from "./grid.ts";
import { CAMERA, EYE, HAND, LARGER, LEAVE, MICROPHONE, MORE, SCREEN, SMALLER, icon } from "./icons.ts";
import { type Context, Panel, button, deviceSelect, face, label, name, person, say, set, soundSwitches, toggle, worded } from "./parts.ts";
import { type Qualities, rate } from "./quality.ts";

export type CallState = OwnCall["state"] | "ended";

/** What the bar asks of the stage. */
export interface Views {
  readonly isOpen: boolean;
  readonly isSpotlit: boolean;
  readonly isLarge: boolean;
  open(open: boolean): void;
  enlarge(): void;
  spotlight(on: boolean): void;
  fill(): void;
  float(): void;
  canFloat(): boolean;
  /** Other speakers are used from now on. */
  sink(): void;
}

const FACES = 5;
/** So many people are listed. */
const MOST = 100;

const STATES: Record<CallState, string> = { ringing: "Ringing …", connecting: "Waiting for others …", connected: "", reconnecting: "Reconnecting …", ended: "Call ended" };

export class Bar {
  readonly root: HTMLElement;
  readonly #context: Context;
  readonly #views: Views;
  readonly #qualities: Qualities;
  readonly #faces = element("span", { class: "call-faces" });
  readonly #state = element("span", { class: "call-state", role: "status", "data-testid": "call-state" });
  readonly #clock = element("time", {});
  readonly #words = element("span", { class: "call-words" }, this.#state, this.#clock);
  /** What the list of those who watch was drawn of. */
  #drawn = "";
  readonly #watchers = element("button", { type: "button", class: "call-watchers", "data-testid": "watchers" });
  readonly #microphone = button("round", "mute", "Mute", MICROPHONE, true);
  readonly #camera = button("round", "camera-off", "Turn camera off", CAMERA, true);
  readonly #screen = button("round", "share-screen", "Share screen", SCREEN);
  readonly #hand = button("round", "raise-hand", "Raise hand", HAND);
  readonly #more = button("round", "call-more", "More", MORE);
  readonly #leave = button("round leave", "hang-up", "Leave", LEAVE);
  readonly #larger = element("button", { type: "button", class: "quiet icon-only call-larger", "data-testid": "call-larger" }, icon(LARGER), icon(SMALLER));
  readonly #menu: Panel;
  readonly #list: Panel;
  #view: View | undefined;
  #looks = "";

  constructor(context: Context, views: Views, qualities: Qualities) {
    this.#context = context;
    this.#views = views;
    this.#qualities = qualities;
    const { self, host } = context;
    this.#menu = new Panel(this.#more, "More", "call-menu", () => this.#items());
    this.#list = new Panel(this.#watchers, "Who watches", "call-list", () => this.#people());
    this.#microphone.onclick = () => void self.turn("microphone", !self.on.microphone);
    this.#camera.onclick = () => void self.turn("camera", !self.on.camera);
    this.#screen.onclick = () => void self.turn("screen", !self.on.screen);
    this.#hand.onclick = () => self.raise(!self.hand);
    this.#leave.onclick = () => host.command({ do: this.#view?.call ? "hang-up" : "unshare" });
    this.#larger.onclick = () => views.open(!views.isOpen);
    const about = element("div", { class: "call-about" }, this.#faces, this.#words, this.#watchers);
    const round = element("div", { class: "call-round" }, this.#microphone, this.#camera, this.#screen, this.#hand, this.#more, this.#leave);
    this.root = element("div", { class: "call-bar" }, about, round, this.#larger, this.#menu.root, this.#list.root);
  }

  show(view: View, state: CallState | undefined): void {
    this.#view = view;
    const { call, share } = view;
    const { self } = this.#context;
    const isSending = Boolean(call ?? share);
    const peers = call?.peers.slice(0, FACES).map(({ peer }) => person(view, peer)) ?? [];
    const looks = JSON.stringify(peers);
    if (looks !== this.#looks) {
      this.#looks = looks;
      this.#faces.replaceChildren(...peers.map(face));
    }
    this.#words.hidden = state === undefined;
    if (state) {
      set(this.#state, { "data-state": state });
      say(this.#state, STATES[state] + (state === "connected" && call?.crowded ? "Only some cameras are shown" : ""));
    }
    const { microphone, camera, screen } = self.on;
    this.#pressed(this.#microphone, !microphone, microphone ? "Mute" : "Unmute (or hold Space)", self.isTurning("microphone"));
    this.#pressed(this.#camera, !camera, camera ? "Turn camera off" : "Turn camera on", self.isTurning("camera"));
    this.#pressed(this.#screen, screen, screen ? "Stop sharing the screen" : "Share screen", self.isTurning("screen"));
    this.#pressed(this.#hand, self.hand, self.hand ? "Lower hand" : "Raise hand", false);
    label(this.#leave, call ? "Leave" : "Stop showing");
    const isVideo = view.allowed === "video";
    for (const [it, there] of [
      [this.#microphone, isSending], [this.#camera, isSending && isVideo], [this.#screen, isSending && isVideo && canShareScreen()],
      [this.#hand, call !== undefined && !call.direct], [this.#leave, isSending],
    ] as const) it.hidden = !there;
    this.#more.hidden = state === "ended";
    const count = share?.watchers.length ?? 0;
    const asking = share?.asking.length ?? 0;
    this.#watchers.hidden = !share;
    set(this.#watchers, { "data-count": count, "data-asking": asking > 0 });
    const ask = asking === 1 ? " asks" : " ask";
    const words = asking ? [String(asking), element("span", {}, ask)] : [String(count)];
    const shown = element("span", {}, ...words);
    if (this.#watchers.textContent !== shown.textContent) this.#watchers.replaceChildren(icon(EYE), shown);
    label(this.#watchers, `${count === 1 ? "1 person watches" : `${count} people watch`}${asking ? `, ${asking}${ask} to` : ""}`);
    if (!share) this.#list.discard();
    else if (this.#list.isOpen && this.#listed() !== this.#drawn) void this.#refill();
    set(this.#larger, { "aria-pressed": this.#views.isOpen });
    label(this.#larger, this.#views.isOpen ? "Fold the call" : "Open the call");
    this.tick();
  }

  /** Shows the time. */
  tick(): void {
    const since = this.#view?.call?.since;
    say(this.#clock, since === undefined ? "" : clock(Date.now() - since));
  }

  /** What is measured has changed. */
  measured(): void {
    for (const out of this.#list.root.querySelectorAll<HTMLElement>("[data-peer]")) say(out, this.#uplink(out.dataset.peer!));
    const sum = this.#list.root.querySelector<HTMLElement>("[data-sum]");
    if (sum) say(sum, this.#sum());
  }

  /** Whether a list is open that shows rates. */
  get isMeasured(): boolean {
    return this.#list.isOpen;
  }

  #pressed(it: HTMLButtonElement, pressed: boolean, words: string, busy: boolean): void {
    set(it, { "aria-pressed": pressed, "aria-busy": busy });
    label(it, words);
  }

  async #items(): Promise<Node[]> {
    const { devices, own, self } = this.#context;
    const views = this.#views;
    const item = (testId: string, words: string, act: () => void) => worded("item", testId, words, () => {
      this.#menu.close();
      act();
    });
    const items: Node[] = [
      toggle("spotlight", "Speaker in the middle", views.isSpotlit, (on) => views.spotlight(on)),
      item("fill-chat", views.isLarge ? "Beside the chat" : "Over the chat", () => views.enlarge()),
      ...(document.fullscreenEnabled ? [item("fill-screen", "Full screen", () => views.fill())] : []),
      ...(views.canFloat() ? [item("float", "Picture in picture", () => views.float())] : []),
    ];
    const reopen = (kind: "camera" | "microphone") => () => void self.reopen(kind);
    const isSending = this.#view?.call ?? this.#view?.share;
    const selects = await Promise.all([
      isSending ? deviceSelect(devices, "camera", own.track("camera"), reopen("camera")) : undefined,
      isSending ? deviceSelect(devices, "microphone", own.track("microphone"), reopen("microphone")) : undefined,
      canChooseSpeaker() ? deviceSelect(devices, "speaker", undefined, () => views.sink()) : undefined,
    ]);
    const found = selects.filter((select) => select !== undefined);
    const section = element("details", { "data-testid": "devices" }, element("summary", {}, "Devices"), ...found, ...(isSending ? soundSwitches(devices, reopen("microphone")) : []));
    section.ontoggle = () => this.#menu.fit();
    if (self.on.screen) items.push(this.#hint());
    return [...items, section];
  }

  /** What a screen shows, which decides whether letters stay sharp or motion stays smooth. */
  #hint(): HTMLElement {
    const select = element("select", { "data-testid": "screen-hint" });
    const hints: Record<Hint, string> = { detail: "Pictures", text: "Text", motion: "Video" };
    for (const [value, words] of Object.entries(hints)) {
      const option = element("option", { value }, words);
      option.selected = value === this.#context.self.hint;
      select.append(option);
    }
    select.onchange = () => this.#context.self.setHint(select.value as Hint);
    return element("label", { class: "choice" }, element("span", {}, "The screen shows"), select);
  }

  /** Draws the list anew, and keeps the focus where it was. */
  async #refill(): Promise<void> {
    const { root } = this.#list;
    const active = (root.getRootNode() as Document | ShadowRoot).activeElement;
    const held = active instanceof HTMLElement && root.contains(active) ? active.dataset.key : undefined;
    await this.#list.fill();
    if (held === undefined) return;
    const again = [...root.querySelectorAll<HTMLElement>("[data-key]")].find((one) => one.dataset.key === held);
    (again ?? root).focus();
  }

  /** Everything that the list shows. While it stays the same, so does the list: a press on an element that is replaced is lost. */
  #listed(): string {
    const { share, call } = this.#view ?? {};
    if (!share || !this.#view) return "";
    const named = (peers: string[]) => peers.map((peer) => [peer, person(this.#view!, peer)]);
    return JSON.stringify([named(share.asking), named(share.watchers), share.sensitive, call !== undefined]);
  }

  #people(): Node[] {
    this.#drawn = this.#listed();
    const view = this.#view;
    const share = view?.share;
    if (!view || !share) return [];
    const { host, self } = this.#context;
    const row = (peer: string, ...parts: Node[]) => {
      const who = person(view, peer);
      return element("li", { "data-user": who.user }, face(who), name(who.user), ...parts);
    };
    const admit = (peer: string, on: boolean, testId: string, words: string, look: string) => {
      const made = worded(look, testId, words, () => host.command({ do: "admit", peer, on }));
      made.dataset.key = `${testId} ${peer}`;
      made.setAttribute("aria-label", `${words}: ${person(view, peer).user}`);
      return made;
    };
    const asking = share.asking.slice(0, MOST).map((peer) => row(peer, admit(peer, false, "refuse-watcher", "Refuse", "quiet"), admit(peer, true, "admit-watcher", "Let in", "primary")));
    const watching = share.watchers.slice(0, MOST).map((peer) => row(peer, element("small", { "data-peer": peer }, this.#uplink(peer)), admit(peer, false, "remove-watcher", "Remove", "quiet")));
    const sum = element("p", { class: "hint", "data-sum": "" }, this.#sum());
    const sensitive = toggle("sensitive", "Sensitive", share.sensitive, (on) => self.setTerms({ ...self.terms, sensitive: on }));
    sensitive.querySelector("input")!.dataset.key = "sensitive";
    const parts: Node[] = [];
    if (asking.length) parts.push(element("h2", {}, "Asking to watch"), element("ul", {}, ...asking));
    parts.push(element("h2", {}, watching.length ? "Watching" : "Nobody is watching yet"));
    if (watching.length) parts.push(element("ul", {}, ...watching), sum);
    parts.push(sensitive);
    if (view.call) parts.push(worded("", "unshare", "Stop showing", () => host.command({ do: "unshare" })));
    return parts;
  }

  #uplink(peer: string): string {
    const quality = this.#qualities.of(peer);
    return quality ? rate(quality.outgoing) : "";
  }

  #sum(): string {
    const all = (this.#view?.share?.watchers ?? []).slice(0, MOST).flatMap((peer) => this.#qualities.of(peer)?.outgoing ?? []);
    return all.length === 0 ? "" : `Sent to all of them: ${rate(all.reduce((sum, one) => sum + one, 0))}`;
  }
}
