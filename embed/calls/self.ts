// What we send in a call and to those who watch: which devices that needs, and what the program is told of it.

import type { Host, Sent, Tracks } from "./contract.ts";
import { type Devices, type Hint, Refused } from "./devices.ts";
import { lossSentence } from "./errors.ts";
import type { Own, Slot } from "./own.ts";

/** How somebody shows their camera. */
export interface Terms {
  sensitive: boolean;
  asks: boolean;
  inReturn: boolean;
}

/** What a call or a broadcast begins with. */
export interface Opened {
  microphone: MediaStreamTrack | undefined;
  camera: MediaStreamTrack | undefined;
}

/** If the program has not begun a call after so long, in milliseconds, the devices are closed again. */
const PATIENCE = 10_000;
/** Another device takes the place of one that is gone within so many milliseconds. Browsers that ask first may wait for ever. */
const REPLACED = 3_000;

export class Self {
  readonly #own: Own;
  readonly #devices: Devices;
  readonly #host: Host;
  /** What goes to the call, and to those who watch; nothing if there is none. */
  #call: Tracks | undefined;
  #share: Tracks | undefined;
  /** What was chosen for those who watch: a switch that is turned on in a call sends them nothing else. */
  #chosen: Tracks = { microphone: false, camera: false, screen: false };
  #terms: Terms = { sensitive: false, asks: false, inReturn: false };
  #hand = false;
  /** Whether the program has shown what was begun. */
  #seen = { call: false, share: false };
  #wait: number | undefined;
  /** The switches that are being turned, so that a second press does not open a device twice. */
  readonly #turning = new Set<keyof Tracks>();
  hint: Hint = "detail";
  /** Tells that something has changed that is drawn. */
  onchange: (() => void) | undefined;

  constructor(own: Own, devices: Devices, host: Host) {
    this.#own = own;
    this.#devices = devices;
    this.#host = host;
    own.onend = (slot) => void this.#ended(slot);
  }

  /** What is on, in the call or to those who watch. */
  get on(): Tracks {
    const any = (kind: keyof Tracks) => Boolean(this.#call?.[kind] || this.#share?.[kind]);
    return { microphone: any("microphone"), camera: any("camera"), screen: any("screen") };
  }

  get hand(): boolean {
    return this.#hand;
  }

  get terms(): Terms {
    return this.#terms;
  }

  isTurning(kind: keyof Tracks): boolean {
    return this.#turning.has(kind);
  }

  /** Begins with what the preview opened, and returns what the command says. */
  begin(what: "call" | "share", opened: Opened, terms?: Terms): Sent {
    if (opened.microphone) this.#own.put("microphone", opened.microphone);
    if (opened.camera) this.#own.put("camera", opened.camera);
    const tracks = { microphone: Boolean(opened.microphone), camera: Boolean(opened.camera), screen: false };
    if (what === "call") this.#call = tracks;
    else this.#share = this.#chosen = tracks;
    if (terms) this.#terms = terms;
    this.#seen[what] = false;
    this.#adjust();
    clearTimeout(this.#wait);
    this.#wait = window.setTimeout(() => this.shown(this.#seen.call, this.#seen.share, true), PATIENCE);
    return this.#sent(tracks);
  }

  /** The program shows a call or a broadcast, or none any more: then its devices are closed. */
  shown(call: boolean, share: boolean, isLate = false): void {
    if (!call && this.#call && (this.#seen.call || isLate)) {
      this.#call = undefined;
      this.#hand = false;
    }
    if (!share && this.#share && (this.#seen.share || isLate)) this.#share = undefined;
    this.#seen = { call, share };
    this.#adjust();
  }

  /** The broadcast's terms change while it runs. */
  setTerms(terms: Terms): void {
    this.#terms = terms;
    this.#tell();
  }

  raise(hand: boolean): void {
    this.#hand = hand;
    this.#tell();
  }

  /** Turns something on or off, wherever it goes by choice. The device of what is off is closed, except that of the microphone. */
  async turn(kind: keyof Tracks, on: boolean): Promise<void> {
    if (!on) {
      this.#turning.delete(kind);
      this.#set(kind, false);
      return;
    }
    if (this.#turning.has(kind)) return;
    this.#turning.add(kind);
    this.onchange?.();
    try {
      await this.#open(kind);
    } catch (error) {
      if (error instanceof Refused) this.#host.notice(error.message);
      else throw error;
    } finally {
      this.#turning.delete(kind);
      this.onchange?.();
    }
  }

  async #open(kind: keyof Tracks): Promise<void> {
    if (kind === "screen") {
      const { picture, sound } = await this.#devices.openScreen(this.hint);
      if (!this.#turning.has(kind) || !this.#runs()) return stop(picture, sound);
      this.#own.put("screen", picture);
      this.#own.put("sound", sound);
    } else if (!this.#own.track(kind)) {
      const track = await this.#devices.open(kind);
      // Meanwhile, somebody may have pressed the button again, or the call may be over.
      if (!this.#turning.has(kind) || !this.#runs()) return stop(track);
      this.#own.put(kind, track);
    }
    this.#set(kind, true);
  }

  /** Chooses what the picture of a screen is good for. */
  setHint(hint: Hint): void {
    this.hint = hint;
    const track = this.#own.track("screen");
    if (track) track.contentHint = hint;
    this.#own.changed();
  }

  /** Uses the device that was chosen, in place of the one that is open. */
  async reopen(kind: "camera" | "microphone"): Promise<void> {
    if (!this.#own.track(kind)) return;
    try {
      this.#replace(kind, await this.#devices.open(kind, true));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.reason !== "NotReadableError") {
        this.#host.notice(error.message);
        return;
      }
      // Many phones open one camera at a time.
      this.#own.put(kind, undefined);
      try {
        this.#replace(kind, await this.#devices.open(kind, true));
      } catch (again) {
        if (again instanceof Refused) this.#host.notice(again.message);
        this.#set(kind, false);
      }
    }
  }

  #replace(kind: "camera" | "microphone", track: MediaStreamTrack): void {
    if (this.#runs()) this.#own.put(kind, track);
    else stop(track);
    this.#adjust();
  }

  #runs(): boolean {
    return this.#call !== undefined || this.#share !== undefined;
  }

  #set(kind: keyof Tracks, on: boolean): void {
    if (this.#call) this.#call = { ...this.#call, [kind]: on };
    // Without a call, whoever turns something on shows it.
    if (this.#share && on && !this.#call) this.#chosen = { ...this.#chosen, [kind]: true };
    if (this.#share) this.#share = { ...this.#share, [kind]: on && this.#chosen[kind] };
    this.#adjust();
    this.#tell();
  }

  /** Opens no device, but closes those that nothing needs. */
  #adjust(): void {
    const { microphone, camera, screen } = this.on;
    // Silence comes before everything else.
    this.#own.enable("microphone", microphone);
    if (!this.#runs()) this.#own.put("microphone", undefined);
    if (!camera) this.#own.put("camera", undefined);
    if (!screen) {
      this.#own.put("screen", undefined);
      this.#own.put("sound", undefined);
    }
    this.onchange?.();
  }

  #sent(tracks: Tracks): Sent {
    const { camera, screen } = this.#own.streams;
    return { ...tracks, hand: this.#hand, streams: { camera: camera.id, screen: screen.id } };
  }

  #tell(): void {
    if (this.#call) this.#host.command({ do: "send", sends: this.#sent(this.#call) });
    if (this.#share) this.#host.command({ do: "share", sends: { ...this.#sent(this.#share), hand: false }, ...this.#terms });
    this.onchange?.();
  }

  async #ended(slot: Slot): Promise<void> {
    // Whoever ends their screen with the browser's own button knows it.
    if (slot === "screen") return this.#set("screen", false);
    const track = this.#own.track(slot);
    this.#own.put(slot, undefined);
    if (slot === "sound" || !track || !this.#runs()) return;
    const isOn = this.on[slot];
    if (await this.#devices.isRevoked(slot)) {
      this.#set(slot, false);
      this.#host.notice(lossSentence(slot, "revoked"));
      return;
    }
    if (!isOn) return;
    let isLate = false;
    const late = window.setTimeout(() => {
      isLate = true;
      this.#set(slot, false);
      this.#host.notice(lossSentence(slot, "gone"));
    }, REPLACED);
    try {
      const other = await this.#devices.open(slot);
      if (isLate || !this.#runs() || !this.on[slot] || this.#own.track(slot)) return stop(other);
      this.#own.put(slot, other);
      this.#adjust();
      this.#host.notice(lossSentence(slot, "replaced"));
    } catch (error) {
      if (isLate) return;
      this.#set(slot, false);
      const isForbidden = error instanceof Refused && error.reason === "NotAllowedError";
      this.#host.notice(lossSentence(slot, isForbidden ? "revoked" : "gone"));
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    clearTimeout(this.#wait);
    this.#call = this.#share = undefined;
    this.#turning.clear();
    this.#own.close();
  }
}

/** Closes devices that nobody waits for any more. */
function stop(...tracks: (MediaStreamTrack | undefined)[]): void {
  for (const track of tracks) track?.stop();
}

