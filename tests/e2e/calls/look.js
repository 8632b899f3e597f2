// What tests look at in a call, in the page: `rtcall.hears(user)`, `rtcall.sees(user, kind)`, and others.
const tile = (user, kind = "camera") =>
  [...document.querySelectorAll("[data-testid=tile]")].find((it) => it.dataset.user === user && it.dataset.kind === kind);
const stream = (user, kind) => tile(user, kind)?.querySelector("video")?.srcObject;
const meters = new Map();
/** The loudest of the last moments of somebody's sound, from 0 to 1; -1 if there is none. */
const loudness = (user) => {
  const track = stream(user, "camera")?.getAudioTracks()[0];
  if (!track) return -1;
  let meter = meters.get(track);
  if (!meter) {
    const context = (globalThis.rtcallContext ??= new AudioContext());
    const analyser = context.createAnalyser();
    analyser.fftSize = 32768;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    void context.resume();
    meters.set(track, (meter = { analyser, samples: new Float32Array(analyser.fftSize) }));
  }
  meter.analyser.getFloatTimeDomainData(meter.samples);
  return meter.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
};
const pictures = new Map();
/** Whether somebody's picture has something in it, and has changed since it was looked at last. */
const moves = (user, kind) => {
  const video = tile(user, kind)?.querySelector("video");
  if (!video?.videoWidth) return false;
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  const { data } = context.getImageData(0, 0, 64, 36);
  let sum = 0;
  let print = 0;
  for (let at = 0; at < data.length; at += 4) {
    sum += data[at] + data[at + 1] + data[at + 2];
    print = (Math.imul(print, 31) + data[at] + 7 * data[at + 1] + 13 * data[at + 2]) | 0;
  }
  const key = `${user} ${kind}`;
  const before = pictures.get(key);
  pictures.set(key, print);
  return sum > 0 && before !== undefined && before !== print;
};
globalThis.rtcall = {
  hears: (user) => loudness(user) > 0.01,
  isSilent: (user) => loudness(user) < 0.0005,
  sees: (user, kind) => moves(user, kind ?? "camera"),
  sends: (user, kind) => (stream(user, kind)?.getTracks() ?? []).filter((track) => track.readyState === "live").map((track) => track.kind).sort().join(),
  users: () => [...document.querySelectorAll("[data-testid=tile]")].map((it) => `${it.dataset.user}/${it.dataset.kind}`).sort().join(),
  attribute: (id, name) => document.querySelector(`[data-testid="${id}"]`)?.getAttribute(name) ?? "",
  muted: (user) => tile(user)?.dataset.muted ?? "",
};
