// Devices that nobody has, so that nobody is asked for theirs.

import { OWN, picture } from "./pictures.ts";

const DEVICES: [MediaDeviceKind, string][] = [
  ["videoinput", "Built-in camera"],
  ["videoinput", "Studio camera with a rather long name, 4K (046d:085e)"],
  ["audioinput", "Built-in microphone"],
  ["audioinput", "Headset"],
  ["audiooutput", "Built-in speakers"],
  ["audiooutput", "Headset"],
];

/** A track of a microphone that hears nothing. */
function silence(): MediaStreamTrack {
  return new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]!;
}

/** Puts them in the place of the browser's own. */
export function lendDevices(): void {
  silenceVideos();
  const devices = Object.assign(new EventTarget(), {
    enumerateDevices: async () => DEVICES.map(([kind, label], index) => ({ kind, label, deviceId: `device-${index}`, groupId: "" })),
    getUserMedia: async ({ video }: MediaStreamConstraints) => (video ? picture(OWN, "camera") : new MediaStream([silence()])),
    getDisplayMedia: async () => picture(OWN, "screen"),
  });
  Object.defineProperty(navigator, "mediaDevices", { value: devices, configurable: true });
}

/** The pictures have no sound, and before a press browsers play only what is muted. */
function silenceVideos(): void {
  const mute = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "muted")?.set;
  const { prototype } = HTMLVideoElement;
  const { play } = prototype;
  Object.defineProperty(prototype, "muted", { configurable: true, get: () => true, set: () => undefined });
  prototype.play = function () {
    mute?.call(this, true);
    return play.call(this);
  };
}
