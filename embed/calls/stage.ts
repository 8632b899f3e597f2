// The stage: everybody's pictures, drawn from what the program shows, and what happens to them in time.

import { element } from "../assist/elements.ts";
import { Bar, type CallState, type Views } from "./bar.ts";
import type { View } from "./contract.ts";
import { Floating } from "./float.ts";
import { type Place, SPEAKS, Spotlight, around, side } from "./grid.ts";
import { SPEAKER, icon } from "./icons.ts";
import { type Context, person, set } from "./parts.ts";
import { Qualities } from "./quality.ts";
import { Levels, Meter } from "./sound.ts";
import { Talking } from "./talking.ts";
import { type Kind, type Loudness, type Shown, Tile, type TileEvents } from "./tile.ts";
import { Wake } from "./wake.ts";
import { Wants } from "./wants.ts";

/** How often it is looked who speaks, in milliseconds, and how many such beats are between two other looks. */
const BEAT = 200;
const WANTS = 3;
const TICKS = 5;
const MEASURES = 10;
/** How long it is said that a call has ended, in milliseconds. */
const FAREWELL = 4_000;
/** So many tiles are drawn. More people are still heard by those who have them in a call. */
const MOST = 48;
const GAP = 8;
/** The part of the page that an open stage takes. */
const PART = 0.4;
const LOWEST = 210;

interface Wished extends Shown {
  peer: string;
  kind: Kind;
}

export class Stage implements TileEvents, Views {
  readonly root: HTMLElement;
  readonly #context: Context;
  readonly #tiles = new Map<string, Tile>();
  readonly #loudness = new Map<string, Loudness>();
  readonly #space = element("div", { class: "call-space" });
  readonly #announcer = element("p", { class: "sr", role: "status" });
  readonly #listen = element("button", { type: "button", class: "primary call-listen", "data-testid": "turn-on-sound", hidden: "" }, icon(SPEAKER), "Turn on sound");
  readonly #bar: Bar;
  readonly #qualities: Qualities;
  readonly #wants: Wants;
  readonly #spotlight = new Spotlight();
  readonly #resized = new ResizeObserver(() => this.#place());
  readonly #seen = new IntersectionObserver((entries) => this.#look(entries));
  readonly #agreed = new Set<string>();
  #view: View | undefined;
  #size: "strip" | "open" | "large" = "strip";
  /** Whether somebody has folded it, or opened it, in this call. */
  #isChosen = false;
  #pinned: string | undefined;
  #speaker: string | undefined;
  isSpotlit = false;
  #float: Floating | undefined;
  #meter: Meter | undefined;
  #metered: MediaStreamTrack | undefined;
  #timer: number | undefined;
  #beats = 0;
  #ended: number | undefined;
  #hands = new Set<string>();
  readonly #levels = new Levels();
  readonly #wake = new Wake();
  readonly #talking: Talking;
  #isMeasuring = false;

  constructor(context: Context) {
    this.#context = context;
    this.#qualities = new Qualities(context.connections);
    this.#wants = new Wants(context.host);
    this.#bar = new Bar(context, this, this.#qualities);
    this.root = element("section", { class: "call-stage", "aria-label": "Call", "data-testid": "call-stage", hidden: "" }, this.#space, this.#listen, this.#bar.root, this.#announcer);
    this.#talking = new Talking(this.root, context.self);
    this.#listen.onclick = () => {
      this.#listen.hidden = true;
      this.play();
    };
    this.#resized.observe(this.#space);
    document.addEventListener("visibilitychange", this.#visibility);
    document.addEventListener("resume", this.#visibility);
    document.addEventListener("fullscreenchange", this.#filled);
  }

  get isOpen(): boolean {
    return this.#size !== "strip";
  }

  show(view: View): void {
    const before = this.#view;
    this.#view = view;
    if (before?.call && before.call.id !== view.call?.id) this.#over(!view.call);
    const wished = this.#wish(view).slice(0, MOST);
    const isOn = Boolean(view.call ?? view.share) || wished.length > 0;
    if (view.call) this.#farewell(false);
    if (!this.#isChosen) this.#auto(wished);
    this.#draw(wished);
    const state: CallState | undefined = view.call?.state ?? (this.#ended === undefined ? undefined : "ended");
    this.#bar.show(view, state);
    this.root.hidden = !isOn && state === undefined;
    set(this.root, { "data-size": wished.length ? this.#size : "strip" });
    // Where a button takes up a whole column, it must not be there for nothing.
    this.#bar.root.toggleAttribute("data-tiles", wished.length > 0);
    this.#run(isOn);
    this.#announce(view);
    this.#place();
  }

  /** The tiles that are to be there. */
  #wish(view: View): Wished[] {
    const { connections, own, self } = this.#context;
    const wished = new Map<string, Wished>();
    const put = (peer: string, kind: Kind, part: Partial<Shown>) => {
      const key = `${kind} ${peer}`;
      const there = wished.get(key);
      if (there) {
        // Somebody in the call, whose picture is watched beside it: it is seen where they are heard.
        if (part.picture && !there.picture) Object.assign(there, { picture: true, sensitive: part.sensitive, closable: true });
        return;
      }
      const isOwn = peer === view.own;
      const stream = isOwn ? own.streams[kind] : connections.heard(peer, kind)?.stream;
      wished.set(key, { peer, kind, own: isOwn, person: person(view, peer), stream, picture: false, muted: false, silent: isOwn, hand: false, words: "", sensitive: false, pinned: this.#pinned === key, closable: false, ...part });
    };
    const { call, shares, share } = view;
    for (const { peer, state, sends } of call?.peers ?? []) {
      const words = state === "connected" ? "" : state === "connecting" ? "Connecting …" : "Reconnecting …";
      put(peer, "camera", { picture: sends.camera, muted: !sends.microphone, hand: sends.hand, words });
      if (sends.screen) put(peer, "screen", { picture: true, muted: !sends.microphone, words });
    }
    for (const peer of this.#agreed) if (!shares.some((share) => share.peer === peer)) this.#agreed.delete(peer);
    for (const { peer, sends, sensitive, state } of shares) {
      if (state !== "watching" && state !== "asking") continue;
      const words = state === "asking" ? "Waiting to be let in …" : "";
      const isBlurred = sensitive && !words && !this.#agreed.has(peer);
      const part = { muted: !sends.microphone, silent: isBlurred, sensitive: isBlurred, closable: true, words };
      if (sends.camera || !sends.screen || words) put(peer, "camera", { ...part, picture: sends.camera && !words });
      if (sends.screen && !words) put(peer, "screen", { ...part, picture: true });
    }
    const { camera, microphone, screen } = self.on;
    if (call || (share && camera)) put(view.own, "camera", { picture: camera && Boolean(own.track("camera")), muted: !microphone, hand: self.hand });
    if (screen) put(view.own, "screen", { picture: true, muted: !microphone });
    return [...wished.values()];
  }

  /** Opens the stage for the first picture, and folds it when there is nothing to see. */
  #auto(wished: Wished[]): void {
    const isVideo = wished.some(({ own, picture, sensitive, words, kind }) => (picture || sensitive || Boolean(words && !this.#view?.call)) && (!own || (kind === "camera" && Boolean(this.#view?.call))));
    this.#size = isVideo ? (this.#size === "large" ? "large" : "open") : "strip";
  }

  #draw(wished: Wished[]): void {
    const keys = new Set(wished.map(({ kind, peer }) => `${kind} ${peer}`));
    for (const [key, tile] of [...this.#tiles]) {
      if (keys.has(key)) continue;
      if (tile.peer === this.#view?.own && tile.kind === "camera") this.#float = undefined;
      this.#seen.unobserve(tile.root);
      tile.remove();
      this.#tiles.delete(key);
      if (this.#pinned === key) this.#pinned = undefined;
    }
    for (const it of wished) {
      const key = `${it.kind} ${it.peer}`;
      let tile = this.#tiles.get(key);
      if (!tile) {
        tile = new Tile(it.peer, it.kind, this.#loudnessOf(it.peer), this);
        this.#tiles.set(key, tile);
        this.#space.append(tile.root);
        this.#seen.observe(tile.root);
        if (it.own && it.kind === "camera") this.#float = new Floating(tile.root, () => this.#place());
        const { speaker } = this.#context.devices.choice;
        if (speaker && !it.own) void tile.sink(speaker);
      }
      tile.update(it);
    }
    this.blocked();
    for (const peer of [...this.#loudness.keys()]) if (!wished.some((it) => it.peer === peer)) this.#loudness.delete(peer);
  }

  #loudnessOf(peer: string): Loudness {
    let loudness = this.#loudness.get(peer);
    if (!loudness) this.#loudness.set(peer, (loudness = { volume: 1, muted: false }));
    return loudness;
  }

  /** Lays the tiles out. */
  #place(): void {
    const { clientWidth: width, clientHeight: height } = this.#space;
    if (!width || !height) return;
    const own = this.#view && this.#tiles.get(`camera ${this.#view.own}`);
    const others = [...this.#tiles.values()].filter((tile) => tile !== own);
    // Over several tiles, it would cover a name.
    const floats = own !== undefined && others.length === 1 && this.#pinned !== own.key;
    const all = own && !floats ? [...others, own] : others;
    const middle = this.#main(all);
    // Around another one there is not always space for all, but whoever shows themselves should see it.
    const placed = middle && own && !floats ? [own, ...others] : all;
    const main = placed.findIndex((tile) => tile.key === middle);
    const places = main < 0 ? side(placed.length, width, height, GAP) : around(main, placed.length, width, height, GAP);
    for (const [index, tile] of placed.entries()) put(tile.root, places[index]);
    if (!own || !this.#float) return;
    this.#float.isOn = floats;
    own.root.toggleAttribute("data-floats", floats);
    if (floats) put(own.root, this.#float.place(width, height));
    if (floats) set(own.root, { tabindex: 0, title: "You. Arrow keys take it to another corner." });
    else for (const name of ["tabindex", "title"]) own.root.removeAttribute(name);
  }

  /** The tile in the middle: the one that is pinned, else a screen, else who speaks, if that is wished. */
  #main(tiles: Tile[]): string | undefined {
    if (this.#pinned && tiles.some((tile) => tile.key === this.#pinned)) return this.#pinned;
    const screen = tiles.find((tile) => tile.kind === "screen" && tile.peer !== this.#view?.own);
    if (screen) return screen.key;
    if (!this.isSpotlit || tiles.length < 2) return undefined;
    return `camera ${this.#speaker ?? tiles[0]!.peer}`;
  }

  // What happens in time

  #run(isOn: boolean): void {
    if (isOn && this.#timer === undefined) {
      this.#timer = window.setInterval(() => this.#beat(), BEAT);
    } else if (!isOn && this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#wants.update([], []);
    }
    void this.#wake.keep(Boolean(this.#view?.call));
    this.#talking.listen(Boolean(this.#view?.call));
    const { own, self } = this.#context;
    const track = this.#view?.call && self.on.microphone ? own.track("microphone") : undefined;
    if (track === this.#metered) return;
    this.#metered = track;
    if (track) (this.#meter ??= new Meter()).listen(track);
    else {
      this.#meter?.close();
      this.#meter = undefined;
    }
  }

  #beat(): void {
    this.#beats++;
    this.#speaks();
    if (this.#beats % WANTS === 0) this.#want();
    if (this.#beats % TICKS === 0) this.#bar.tick();
    if (this.#beats % MEASURES === 0) void this.#measure();
  }

  #speaks(): void {
    const levels = new Map<string, number>();
    for (const tile of this.#tiles.values()) {
      if (tile.kind !== "camera") continue;
      const isOwn = tile.peer === this.#view?.own;
      const level = isOwn ? (this.#meter?.level() ?? 0) : this.#levels.of(this.#context.connections.heard(tile.peer, "camera")?.audio);
      tile.speak(level >= SPEAKS && tile.root.dataset.muted !== "true");
      if (!isOwn) levels.set(tile.peer, level);
    }
    const speaker = this.#spotlight.next(levels, performance.now());
    if (speaker === this.#speaker) return;
    this.#speaker = speaker;
    if (this.isSpotlit) this.#place();
  }

  #want(): void {
    const peers = new Set([...this.#tiles.values()].map((tile) => tile.peer).filter((peer) => peer !== this.#view?.own));
    this.#wants.update(peers, this.#tiles.values());
  }

  async #measure(): Promise<void> {
    if (this.#isMeasuring) return;
    this.#isMeasuring = true;
    const peers = new Set<string>();
    for (const tile of this.#tiles.values()) if (tile.peer !== this.#view?.own && (tile.isMeasured || (tile.visible && !document.hidden))) peers.add(tile.peer);
    if (this.#bar.isMeasured) for (const peer of (this.#view?.share?.watchers ?? []).slice(0, 2 * MOST)) peers.add(peer);
    await this.#qualities.measure(peers);
    this.#isMeasuring = false;
    for (const tile of this.#tiles.values()) if (peers.has(tile.peer)) tile.measured();
    this.#bar.measured();
  }

  #look(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const tile = [...this.#tiles.values()].find((tile) => tile.root === target);
      if (tile) tile.visible = isIntersecting;
    }
  }

  readonly #visibility = (): void => {
    this.#want();
    void this.#wake.keep(Boolean(this.#view?.call));
    if (!document.hidden) this.#context.own.check();
    // Chromium pauses everything in a tab that it freezes, and leaves it like that.
    this.play();
  };

  #announce(view: View): void {
    const hands = new Set<string>();
    for (const { peer, sends } of view.call?.peers ?? []) if (sends.hand) hands.add(peer);
    for (const peer of hands) if (!this.#hands.has(peer)) this.#announcer.textContent = `${person(view, peer).user} raises a hand.`;
    this.#hands = hands;
  }

  #over(isFarewell: boolean): void {
    this.#isChosen = this.isSpotlit = false;
    this.#pinned = undefined;
    this.#listen.hidden = true;
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
    this.#farewell(isFarewell);
  }

  #farewell(is: boolean): void {
    clearTimeout(this.#ended);
    this.#ended = is ? window.setTimeout(() => {
      this.#ended = undefined;
      if (this.#view) this.show(this.#view);
    }, FAREWELL) : undefined;
  }

  // What tiles and the bar ask for

  get panels(): HTMLElement {
    return this.#bar.root;
  }

  pin(tile: Tile): void {
    this.#pinned = this.#pinned === tile.key ? undefined : tile.key;
    this.again();
  }

  close(tile: Tile): void {
    this.#context.host.command({ do: "watch", peer: tile.peer, on: false });
  }

  agree(tile: Tile): void {
    this.#agreed.add(tile.peer);
    this.again();
  }

  blocked(): void {
    this.#listen.hidden = ![...this.#tiles.values()].some((tile) => tile.isBlocked);
  }

  /** Plays what the browser has paused, or has not let sound. */
  play(): void {
    for (const tile of this.#tiles.values()) if (tile.video.srcObject && (tile.isBlocked || tile.video.paused)) tile.play();
  }

  sounds(): void {
    this.again();
  }

  quality(peer: string) {
    return this.#qualities.of(peer);
  }

  resized(): void {
    this.#context.connections.refresh();
  }

  /** Draws once more what was shown: something of our own has changed. */
  again(): void {
    if (this.#view) this.show(this.#view);
  }

  open(open: boolean): void {
    this.#isChosen = true;
    this.#size = open ? "open" : "strip";
    this.again();
    this.#want();
  }

  get isLarge(): boolean {
    return this.#size === "large";
  }

  enlarge(): void {
    this.#isChosen = true;
    this.#size = this.isLarge ? "open" : "large";
    this.again();
  }

  spotlight(on: boolean): void {
    this.isSpotlit = on;
    if (on && !this.isOpen) this.open(true);
    this.#place();
  }

  /** The element that fills the screen: the conversation, of which the stage, ringing calls, warnings and notices are shown. */
  get #filling(): Element {
    return this.root.closest(".conversation") ?? this.root;
  }

  fill(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.#filling.requestFullscreen().catch((error: Error) => this.#context.host.notice(`The browser shows no full screen here (${error.name}).`));
  }

  readonly #filled = (): void => {
    const tree = this.root.getRootNode() as Document | ShadowRoot;
    this.root.toggleAttribute("data-filled", tree.fullscreenElement === this.#filling);
    if (!this.isOpen && this.root.hasAttribute("data-filled")) this.open(true);
  };

  canFloat(): boolean {
    return document.pictureInPictureEnabled && [...this.#tiles.values()].some((tile) => tile.video.videoWidth > 0);
  }

  float(): void {
    if (document.pictureInPictureElement) return void document.exitPictureInPicture();
    const seen = [...this.#tiles.values()].filter((tile) => tile.video.videoWidth > 0);
    const tile = seen.find((tile) => tile.key === this.#main(seen)) ?? seen.find((tile) => tile.peer !== this.#view?.own) ?? seen[0];
    tile?.video.requestPictureInPicture().catch((error: Error) => this.#context.host.notice(`The browser shows no picture in picture here (${error.name}).`));
  }

  sink(): void {
    const { speaker } = this.#context.devices.choice;
    for (const tile of this.#tiles.values()) if (tile.peer !== this.#view?.own) void tile.sink(speaker);
  }

  /** The stage takes its part of a page that is so high. */
  fit(height: number): void {
    this.root.style.setProperty("--open", `${Math.max(Math.min(LOWEST, height * 0.6), Math.round(height * PART))}px`);
  }

  end(): void {
    this.#view = undefined;
    this.#run(false);
    this.#farewell(false);
    this.#resized.disconnect();
    this.#seen.disconnect();
    document.removeEventListener("visibilitychange", this.#visibility);
    document.removeEventListener("resume", this.#visibility);
    document.removeEventListener("fullscreenchange", this.#filled);
    for (const tile of this.#tiles.values()) tile.remove();
    this.#tiles.clear();
    this.root.remove();
  }
}

function put(root: HTMLElement, place: Place | undefined): void {
  root.toggleAttribute("data-hidden", !place);
  if (!place) return;
  const { style } = root;
  style.setProperty("inset-inline-start", `${place.x}px`);
  style.setProperty("inset-block-start", `${place.y}px`);
  style.setProperty("inline-size", `${place.width}px`);
  style.setProperty("block-size", `${place.height}px`);
}
