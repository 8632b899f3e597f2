// What one sees before others do: oneself, and how loud one is.

import { element } from "../assist/elements.ts";
import { Refused, type DeviceKind } from "./devices.ts";
import { lossSentence } from "./errors.ts";
import { CAMERA, CLOSE, MICROPHONE } from "./icons.ts";
import { type Context, button, deviceSelect, label, set, soundSwitches, toggle, worded } from "./parts.ts";
import type { Opened, Terms } from "./self.ts";
import { Meter } from "./sound.ts";

/** How often the microphone's level is drawn, in milliseconds. */
const BEAT = 80;

export interface Wanted {
  title: string;
  go: string;
  video: boolean;
  /** Whether there may be video at all. */
  allowed: "audio" | "video";
  /** For a broadcast: how it is shown. */
  terms?: Terms;
}

type Result = (Opened & { terms: Terms | undefined }) | undefined;

/** Shows the preview. It returns what was opened, or nothing if it was cancelled. */
export function preview(context: Context, place: HTMLElement, wanted: Wanted): Promise<Result> {
  return new Promise((done) => new Preview(context, wanted, done).begin(place));
}

class Preview {
  readonly #context: Context;
  readonly #wanted: Wanted;
  readonly #done: (result: Result) => void;
  readonly #dialog: HTMLDialogElement;
  readonly #video = element("video", { "aria-label": "What others will see", playsinline: "" });
  readonly #sentence = element("p", { class: "empty-picture" });
  readonly #problem = element("p", { class: "problem", role: "status", "data-testid": "media-problem" });
  readonly #level = element("i", {});
  readonly #microphone = button("round", "preview-mute", "Microphone", MICROPHONE, true);
  readonly #camera = button("round", "preview-camera-off", "Camera", CAMERA, true);
  readonly #selects = element("div", { class: "choices" });
  readonly #go: HTMLButtonElement;
  readonly #meter = new Meter();
  readonly #tracks: { camera: MediaStreamTrack | undefined; microphone: MediaStreamTrack | undefined } = { camera: undefined, microphone: undefined };
  readonly #on: { camera: boolean; microphone: boolean };
  readonly #terms: Terms | undefined;
  readonly #problems = new Map<string, string>();
  #timer: number | undefined;
  #isOver = false;
  #unlisten: (() => void) | undefined;

  constructor(context: Context, wanted: Wanted, done: (result: Result) => void) {
    this.#context = context;
    this.#wanted = wanted;
    this.#done = done;
    this.#on = { camera: wanted.video && wanted.allowed === "video", microphone: true };
    this.#terms = wanted.terms && { ...wanted.terms };
    this.#video.muted = true;
    this.#go = worded("primary", "media-go", wanted.go, () => this.#end(true));
    this.#go.disabled = true;
    const close = button("quiet icon-only", "media-close", "Close", CLOSE);
    close.onclick = () => this.#end(false);
    const bar = element("header", { class: "bar" }, element("h2", { id: "call-preview-title" }, wanted.title), close);
    const meter = element("span", { class: "call-level", "aria-hidden": "true" }, this.#level);
    const controls = element("div", { class: "over-picture" }, meter, this.#microphone, ...(wanted.allowed === "video" ? [this.#camera] : []));
    const picture = element("div", { class: "call-picture" }, this.#video, this.#sentence, controls);
    const cancel = worded("", "media-cancel", "Cancel", () => this.#end(false));
    const more = element("details", {}, element("summary", {}, "Sound"), ...soundSwitches(context.devices, () => void this.#open("microphone")));
    const body = element("div", { class: "call-body" }, picture, this.#problem, this.#selects, ...this.#termSwitches(), more);
    const actions = element("footer", { class: "call-foot" }, cancel, this.#go);
    this.#dialog = element("dialog", { class: "sheet call-sheet", "aria-labelledby": "call-preview-title", "data-testid": "preview" }, bar, body, actions);
    this.#dialog.oncancel = (event) => {
      event.preventDefault();
      this.#end(false);
    };
    this.#dialog.onkeydown = (event) => {
      if (event.key === "Escape") event.stopPropagation();
    };
    this.#microphone.onclick = () => this.#turn("microphone");
    this.#camera.onclick = () => this.#turn("camera");
  }

  begin(place: HTMLElement): void {
    place.append(this.#dialog);
    this.#dialog.showModal();
    this.#unlisten = this.#context.devices.listen(() => void this.#list());
    this.#timer = window.setInterval(() => {
      const level = this.#on.microphone ? Math.min(1, this.#meter.level() * 5) : 0;
      this.#level.style.setProperty("transform", `scaleX(${level.toFixed(2)})`);
    }, BEAT);
    this.#draw();
    const opening = (["microphone", "camera"] as const).filter((kind) => this.#on[kind]).map((kind) => this.#open(kind));
    // The button goes on without what could not be opened.
    void Promise.all(opening).then(() => {
      this.#go.disabled = false;
      if (!this.#isOver) this.#go.focus();
    });
  }

  #termSwitches(): HTMLElement[] {
    const terms = this.#terms;
    if (!terms) return [];
    return [
      toggle("asks", "Ask before somebody watches", terms.asks, (on) => (terms.asks = on)),
      toggle("sensitive", "Sensitive", terms.sensitive, (on) => (terms.sensitive = on), "It is blurred until somebody presses Show."),
      toggle("in-return", "Only in return", terms.inReturn, (on) => (terms.inReturn = on), "Only people who show their camera can watch."),
    ];
  }

  #turn(kind: "camera" | "microphone"): void {
    this.#on[kind] = !this.#on[kind];
    this.#problems.delete(kind);
    if (this.#on[kind]) void this.#open(kind);
    else this.#put(kind, undefined);
  }

  async #open(kind: "camera" | "microphone", strictly = false): Promise<void> {
    if (!this.#on[kind]) return;
    this.#draw();
    try {
      // Many devices are opened once at a time.
      if (strictly) this.#put(kind, undefined);
      const track = await this.#context.devices.open(kind, strictly);
      if (this.#isOver || !this.#on[kind]) return track.stop();
      this.#problems.delete(kind);
      track.addEventListener("ended", () => {
        if (this.#tracks[kind] === track) void this.#ended(kind);
      });
      this.#put(kind, track);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#lost(kind, error.message);
    }
    void this.#list();
  }

  async #ended(kind: "camera" | "microphone"): Promise<void> {
    this.#on[kind] = false;
    this.#put(kind, undefined);
    const isRevoked = await this.#context.devices.isRevoked(kind);
    // Meanwhile, somebody may have pressed the button again.
    if (!this.#isOver && !this.#on[kind]) this.#lost(kind, lossSentence(kind, isRevoked ? "revoked" : "gone"));
  }

  #lost(kind: "camera" | "microphone", sentence: string): void {
    this.#on[kind] = false;
    this.#problems.set(kind, sentence);
    this.#put(kind, undefined);
  }

  #put(kind: "camera" | "microphone", track: MediaStreamTrack | undefined): void {
    const before = this.#tracks[kind];
    this.#tracks[kind] = track;
    if (before !== track) before?.stop();
    if (kind === "microphone") this.#meter.listen(track);
    else {
      this.#video.srcObject = track ? new MediaStream([track]) : null;
      if (track) void this.#video.play().catch(() => undefined);
    }
    this.#draw();
  }

  #draw(): void {
    const { camera, microphone } = this.#on;
    set(this.#camera, { "aria-pressed": !camera });
    label(this.#camera, camera ? "Turn camera off" : "Turn camera on");
    set(this.#microphone, { "aria-pressed": !microphone });
    label(this.#microphone, microphone ? "Mute" : "Unmute");
    const hasPicture = Boolean(this.#tracks.camera);
    this.#video.hidden = !hasPicture;
    this.#sentence.hidden = hasPicture;
    this.#sentence.textContent = camera ? "The camera is being opened …" : microphone ? "Your camera is off. People hear you, and see your name." : "Camera and microphone are off. You can listen, and people see your name.";
    this.#problem.textContent = [...this.#problems.values()].join(" ");
  }

  async #list(): Promise<void> {
    const kinds: DeviceKind[] = this.#wanted.allowed === "video" ? ["camera", "microphone", "speaker"] : ["microphone", "speaker"];
    const selects = await Promise.all(kinds.map((kind) => {
      const chosen = () => kind !== "speaker" && void this.#open(kind, true);
      return deviceSelect(this.#context.devices, kind, kind === "speaker" ? undefined : this.#tracks[kind], chosen);
    }));
    // Drawing anew would close a list that is open.
    if (!this.#isOver && !this.#selects.contains(this.#dialog.ownerDocument.activeElement)) this.#selects.replaceChildren(...selects.filter((select) => select !== undefined));
  }

  #end(goes: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#unlisten?.();
    this.#meter.close();
    this.#video.srcObject = null;
    this.#dialog.close();
    this.#dialog.remove();
    if (!goes) for (const track of Object.values(this.#tracks)) track?.stop();
    this.#done(goes ? { ...this.#tracks, terms: this.#terms } : undefined);
  }
}
