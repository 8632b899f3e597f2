// Notes when pictures and sound of somebody come, and how the call is said to be: `flow.after(moment)`. It runs in the page during
// a call. Whoever leaves and comes back has another element, of which nothing is noted.
const tile = [...document.querySelectorAll("[data-testid=tile]")].find((it) => it.dataset.own === "false");
const video = tile.querySelector("video");
const state = document.querySelector("[data-testid=call-state]");
/** A pause that is longer, in milliseconds, is a break. Pictures come every 100. */
const BREAK = 500;
/** So long, in milliseconds, everything has to come without a break before it counts as going on. */
const CALM = 3_000;
const times = { frames: [Date.now()], sounds: [Date.now()] };
const frame = () => {
  times.frames.push(Date.now());
  video.requestVideoFrameCallback(frame);
};
video.requestVideoFrameCallback(frame);
let packets = 0;
setInterval(async () => {
  const now = await summed("inbound-rtp", "packets");
  if (now > packets) times.sounds.push(Date.now());
  packets = now;
}, 50);
const states = [state.dataset.state];
new MutationObserver(() => states.at(-1) !== state.dataset.state && states.push(state.dataset.state)).observe(state, { attributes: true });
const breaks = (kind, moment) => times[kind].filter((time, at) => time > moment && time - times[kind][at - 1] > BREAK);
window.flow = {
  /** The milliseconds from a moment until pictures and sound came without a break; nothing as long as they do not. */
  after: (moment) => {
    const now = Date.now();
    const ends = Object.keys(times).map((kind) => {
      const end = breaks(kind, moment).at(-1) ?? moment;
      return now - end > CALM && now - times[kind].at(-1) < BREAK ? end - moment : undefined;
    });
    return ends.every((end) => end !== undefined) ? ends : null;
  },
  /** Whether it is the same tile of the same call, and no device was opened since. */
  isSame: () => tile.isConnected && opened.length === devices && opened.every((track) => track.readyState === "live"),
  states,
};
const devices = opened.length;
