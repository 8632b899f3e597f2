// One picture: somebody's camera or screen, with their name and state, and what can be done about it.

import { element } from "../assist/elements.ts";
import type { Person } from "./contract.ts";
import { CLOSE, EYE, HAND, MICROPHONE, PIN, SPEAKER, icon } from "./icons.ts";
import { Panel, button, face, label, name, set, trust, worded } from "./parts.ts";
import { type Quality, WORDS, lines } from "./quality.ts";

export type Kind = "camera" | "screen";

/** What a tile shows. */
export interface Shown {
  person: Person;
  own: boolean;
  stream: MediaStream | undefined;
  /** Whether there is a picture, and whether their microphone is off. */
  picture: boolean;
  muted: boolean;
  /** Whether their sound is not to be heard here. */
  silent: boolean;
  hand: boolean;
  /** What stands over it while it is not connected; empty if it is. */
  words: string;
  /** Whether it is blurred until somebody agrees. */
  sensitive: boolean;
  pinned: boolean;
  /** Whether it is a broadcast that can be closed. */
  closable: boolean;
}

export interface TileEvents {
  /** Where what opens beside a button is put. */
  readonly panels: HTMLElement;
  pin(tile: Tile): void;
  close(tile: Tile): void;
  agree(tile: Tile): void;
  /** The browser lets nothing sound before somebody presses something. */
  blocked(): void;
  /** Somebody's loudness has changed, which all of their tiles share. */
  sounds(): void;
  quality(peer: string): Quality | undefined;
  /** A picture of ours has another size. */
  resized(): void;
}

/** What is remembered of somebody's sound while the stage is there. */
export interface Loudness {
  volume: number;
  muted: boolean;
}

/** So long, in milliseconds, somebody still speaks after the last loud sound: between words, the ring stays. */
const HOLDS = 600;

/** The height of a picture in a window of its own, which the browser does not tell. */
const FLOATING = 360;

const isFloating = (video: HTMLVideoElement): boolean => (video.getRootNode() as Document | ShadowRoot).pictureInPictureElement === video;

export class Tile {
  readonly root: HTMLElement;
  readonly video = element("video", { playsinline: "", autoplay: "", disableremoteplayback: "" });
  readonly peer: string;
  readonly kind: Kind;
  /** Whether it can be seen at all. */
  visible = false;
  readonly #events: TileEvents;
  readonly #loudness: Loudness;
  readonly #plate = element("span", { class: "call-plate" });
  readonly #cover = element("div", { class: "call-cover" });
  readonly #acts = element("div", { class: "call-acts" });
  readonly #pin = button("act", "pin", "Pin", PIN);
  readonly #mute = button("act", "mute-person", "Mute for me", SPEAKER, true);
  readonly #volume = element("input", { type: "range", min: "0", max: "100", "data-testid": "volume" });
  readonly #dot = element("button", { type: "button", class: "act bars", "data-testid": "quality", "data-level": "good", "aria-label": "Connection" }, element("i", {}), element("i", {}), element("i", {}));
  readonly #panel: Panel;
  #shown: Shown | undefined;
  #looks = "";
  /** Whether the browser lets nothing sound before somebody presses something. Then there is at least a picture. */
  isBlocked = false;
  #spoke = -Infinity;

  constructor(peer: string, kind: Kind, loudness: Loudness, events: TileEvents) {
    this.peer = peer;
    this.kind = kind;
    this.#loudness = loudness;
    this.#events = events;
    this.#panel = new Panel(this.#dot, "Connection", "call-quality", () => lines(events.quality(peer)));
    this.root = element("div", { class: "call-tile", role: "group", "data-testid": "tile", "data-kind": kind, "data-speaking": "false" }, this.video, this.#cover, this.#plate, this.#acts);
    // Tiles are too small for it.
    events.panels.append(this.#panel.root);
    this.#pin.onclick = () => events.pin(this);
    this.#mute.onclick = () => {
      this.#loudness.muted = !this.#loudness.muted;
      events.sounds();
    };
    this.#volume.oninput = () => {
      this.#loudness.volume = Number(this.#volume.value) / 100;
      this.#loudness.muted = false;
      events.sounds();
    };
    this.video.onresize = () => {
      set(this.root, { "data-tall": this.video.videoHeight > this.video.videoWidth });
      if (this.#shown?.own) events.resized();
    };
    // Fingers do not hover.
    this.root.onpointerup = ({ pointerType, target }) => {
      if (pointerType === "touch" && target instanceof Node && !this.#acts.contains(target)) this.root.toggleAttribute("data-touched");
    };
  }

  get key(): string {
    return `${this.kind} ${this.peer}`;
  }

  update(shown: Shown): void {
    const { person, own, stream, picture, muted, sensitive, pinned, closable } = shown;
    this.#shown = shown;
    const what = this.kind === "screen" ? `${person.user}'s screen` : person.user;
    set(this.root, { "data-user": person.user, "data-muted": muted, "data-own": own, "data-picture": picture && stream !== undefined, "data-blurred": sensitive, "aria-label": own && this.kind === "camera" ? "You" : what });
    set(this.video, { "aria-label": what });
    if (this.video.srcObject !== (stream ?? null)) {
      this.video.srcObject = stream ?? null;
      if (stream) this.play();
      else this.isBlocked = false;
    }
    set(this.#pin, { "aria-pressed": pinned });
    label(this.#pin, pinned ? "Unpin" : `Pin ${what}`);
    this.#sound();
    // A button that has the focus must stay; so only what differs is drawn anew.
    const looks = JSON.stringify([person, own, muted, shown.hand, shown.words, sensitive, closable, picture]);
    if (looks === this.#looks) return;
    this.#looks = looks;
    this.#draw(shown, what);
  }

  #draw({ person, own, muted, hand, words, sensitive, closable, picture }: Shown, what: string): void {
    const marks: Node[] = [];
    const sign = (path: string, words: string) => marks.push(element("span", { class: "call-sign", title: words }, icon(path, path === MICROPHONE), element("span", { class: "sr" }, words)));
    if (hand) sign(HAND, "Hand raised");
    if (muted && this.kind === "camera") sign(MICROPHONE, "Muted");
    const title = own ? element("span", {}, this.kind === "screen" ? "Your screen" : "You") : name(person.user);
    const after = own ? [] : this.kind === "screen" ? [element("span", { class: "what" }, "screen")] : [trust(person)];
    this.#plate.replaceChildren(...marks, title, ...after);
    const cover: Node[] = [];
    if (!picture || words) cover.push(face(person));
    if (words) cover.push(element("p", { role: "status" }, words));
    if (sensitive) {
      cover.push(element("p", {}, "Shown as sensitive"));
      cover.push(worded("", "agree", "Show", () => this.#events.agree(this)));
      cover.at(-1)!.textContent = "";
      (cover.at(-1) as HTMLElement).append(icon(EYE), "Show");
    }
    this.#cover.replaceChildren(...cover);
    const close = button("act", "stop-watching", "Stop watching", CLOSE);
    close.onclick = () => this.#events.close(this);
    label(this.#volume, `How loud ${what} is`);
    label(this.#mute, `Mute ${what} for me`);
    this.#acts.replaceChildren(...(own ? [] : [this.#dot, this.#volume, this.#mute]), this.#pin, ...(closable ? [close] : []));
  }

  /** Shows who speaks. */
  speak(speaks: boolean): void {
    const now = performance.now();
    if (speaks) this.#spoke = now;
    set(this.root, { "data-speaking": now - this.#spoke < HOLDS });
  }

  /** Shows how well it arrives. */
  measured(): void {
    const level = this.#events.quality(this.peer)?.level ?? "good";
    set(this.#dot, { "data-level": level });
    label(this.#dot, `${WORDS[level]}: show details`);
    if (this.#panel.isOpen) void this.#panel.fill();
  }

  get isMeasured(): boolean {
    return this.#panel.isOpen;
  }

  play(): void {
    this.isBlocked = false;
    this.#sound();
    this.video.play().catch((error: DOMException) => {
      // Other failures mean that there is another stream meanwhile.
      if (error.name !== "NotAllowedError") return;
      this.isBlocked = true;
      this.#sound();
      this.#events.blocked();
      this.video.play().catch(() => undefined);
    });
  }

  /** The speaker that sounds go to. */
  async sink(id: string): Promise<void> {
    try {
      await this.video.setSinkId?.(id);
    } catch {
      // It is gone; the browser's own choice stays.
    }
  }

  /** The height of its picture on the screen, in the screen's own pixels; 0 if nobody sees it. */
  get pixels(): number {
    // A picture in a window of its own is seen even if the page is not.
    if (isFloating(this.video)) return FLOATING;
    const isSeen = this.visible && !document.hidden && !this.#shown?.sensitive && !this.root.hasAttribute("data-hidden");
    return isSeen ? this.root.clientHeight * devicePixelRatio : 0;
  }

  #sound(): void {
    const { volume, muted } = this.#loudness;
    const isSilent = this.#shown?.silent || muted || this.isBlocked;
    if (this.video.muted !== Boolean(isSilent)) this.video.muted = Boolean(isSilent);
    if (this.video.volume !== volume) this.video.volume = volume;
    const percent = String(Math.round(volume * 100));
    if (this.#volume.value !== percent) this.#volume.value = percent;
    set(this.#mute, { "aria-pressed": muted });
  }

  remove(): void {
    this.#panel.discard();
    this.#panel.root.remove();
    this.video.srcObject = null;
    this.root.remove();
  }
}

