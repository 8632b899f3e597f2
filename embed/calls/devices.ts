// Cameras, microphones, speakers and screens: which are used, and how they are opened. Nobody is asked for permission before
// they press something.

import { type What, sentence } from "./errors.ts";

/** What somebody chose, in this browser. */
export interface Choice {
  /** Ids of devices; empty for the browser's own choice. */
  camera: string;
  microphone: string;
  speaker: string;
  echo: boolean;
  noise: boolean;
  gain: boolean;
}

export type DeviceKind = "camera" | "microphone" | "speaker";

/** What a screen shows: letters stay sharp, or motion stays smooth. */
export type Hint = "text" | "detail" | "motion";

const KEY = "rtchat-devices";
const DEFAULT: Choice = { camera: "", microphone: "", speaker: "", echo: true, noise: true, gain: true };
const KINDS = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" } as const;

/** So many devices of a kind are offered. */
const MOST = 32;

/** What went wrong, as a sentence for people. */
export class Refused extends Error {
  readonly reason: string;

  constructor(what: What, error: unknown) {
    const { name = "Error", message = "" } = (error ?? {}) as Partial<Error>;
    super(sentence(what, { name, message }, window.isSecureContext));
    this.reason = name;
  }
}

export class Devices {
  readonly #listeners = new Set<() => void>();
  /** What the browser said is permitted when it was opened last. Others have a permission that is good for once. */
  readonly #permitted = new Set<"camera" | "microphone">();
  #choice: Choice;

  constructor() {
    this.#choice = read();
    navigator.mediaDevices?.addEventListener("devicechange", this.#tell);
  }

  get choice(): Readonly<Choice> {
    return this.#choice;
  }

  /** Remembers a choice. */
  choose(part: Partial<Choice>): void {
    this.#choice = { ...this.#choice, ...part };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#choice));
    } catch {
      // Storage is blocked; then it counts for this page.
    }
    this.#tell();
  }

  /** Calls this when devices come or go, or others are chosen. Returns what ends that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The devices of a kind. Before permission was given, they have no names, and none is listed. */
  async list(kind: DeviceKind): Promise<{ id: string; name: string }[]> {
    try {
      const devices = await navigator.mediaDevices.enumerateDevices();
      const known = devices.filter((device) => device.kind === KINDS[kind] && device.deviceId && device.label);
      return known.slice(0, MOST).map(({ deviceId, label }) => ({ id: deviceId, name: label }));
    } catch {
      return [];
    }
  }

  /**
   * Opens the camera or the microphone.
   *
   * @param strictly Whether only the chosen device will do.
   * @throws {Refused}
   */
  async open(what: "camera" | "microphone", strictly = false): Promise<MediaStreamTrack> {
    const chosen = this.#choice[what];
    const device: MediaTrackConstraints = chosen ? { deviceId: strictly ? { exact: chosen } : { ideal: chosen } } : {};
    const { echo, noise, gain } = this.#choice;
    const constraints: MediaStreamConstraints =
      what === "camera"
        ? { video: { ...(chosen ? {} : { facingMode: "user" }), width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...device } }
        : { audio: { echoCancellation: echo, noiseSuppression: noise, autoGainControl: gain, ...device } };
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      const [track] = stream.getTracks();
      track!.contentHint = what === "camera" ? "motion" : "speech";
      void this.#note(what);
      return track!;
    } catch (error) {
      throw new Refused(what, error);
    }
  }

  async #note(what: "camera" | "microphone"): Promise<void> {
    if ((await permission(what)) === "granted") this.#permitted.add(what);
    else this.#permitted.delete(what);
  }

  /** Whether the page may not use a device any more, or only after another question, which nobody is asked without a press. */
  async isRevoked(what: "camera" | "microphone"): Promise<boolean> {
    const state = await permission(what);
    return state === "denied" || (state === "prompt" && this.#permitted.has(what));
  }

  /**
   * Opens a screen, a window or a tab, with its sound where there is some.
   *
   * @throws {Refused}
   */
  async openScreen(hint: Hint): Promise<{ picture: MediaStreamTrack; sound: MediaStreamTrack | undefined }> {
    try {
      const options = {
        video: { frameRate: { ideal: hint === "motion" ? 30 : 15 } },
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
        // The chat in its own picture would be an endless corridor.
        selfBrowserSurface: "exclude", surfaceSwitching: "include", systemAudio: "include",
      };
      const stream = await navigator.mediaDevices.getDisplayMedia(options);
      const [picture] = stream.getVideoTracks();
      const [sound] = stream.getAudioTracks();
      picture!.contentHint = hint;
      if (sound) sound.contentHint = "music";
      return { picture: picture!, sound };
    } catch (error) {
      throw new Refused("screen", error);
    }
  }

  close(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#tell);
    this.#listeners.clear();
  }

  readonly #tell = (): void => {
    for (const listener of this.#listeners) listener();
  };
}

/** Reads what was chosen. What others wrote there is not trusted. */
function read(): Choice {
  const choice = { ...DEFAULT };
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, unknown>;
    for (const key of Object.keys(choice) as (keyof Choice)[]) {
      if (typeof kept[key] === typeof choice[key]) Object.assign(choice, { [key]: kept[key] });
    }
  } catch {
    // Storage is blocked, or has something else in it.
  }
  return choice;
}

/** What the browser says of a permission. Some browsers do not say. */
async function permission(what: "camera" | "microphone"): Promise<PermissionState | undefined> {
  try {
    return (await navigator.permissions.query({ name: what as PermissionName })).state;
  } catch {
    return undefined;
  }
}

/** Whether sound can be sent to a speaker that somebody chooses. */
export const canChooseSpeaker = (): boolean => "setSinkId" in HTMLMediaElement.prototype;

/** Whether there are screens to share: phones have none. */
export const canShareScreen = (): boolean => navigator.mediaDevices !== undefined && "getDisplayMedia" in navigator.mediaDevices;
