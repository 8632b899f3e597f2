// What tests look at in a call, in the page: `rtcall.hears(user)`, `rtcall.sees(user, kind)`, and others. Firefox forgets
// everything between two scripts, so each look takes as long as it has to.
const tree = document.querySelector("rt-chat")?.shadowRoot ?? document;
const tile = (user, kind = "camera") =>
  [...tree.querySelectorAll("[data-testid=tile]")].find((it) => it.dataset.user === user && it.dataset.kind === kind);
const stream = (user, kind) => tile(user, kind)?.querySelector("video")?.srcObject;
const frame = () => new Promise((done) => setTimeout(done, 50));
/** A number for what a picture shows; 0 if that is nothing. */
const print = (video) => {
  if (!video?.videoWidth) return 0;
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  return context.getImageData(0, 0, 64, 36).data.reduce((print, value, at) => (at % 4 === 3 ? print : (Math.imul(print, 31) + value) | 0), 0);
};
const rtcall = {
  /** Whether somebody is heard: by what the browser measures of the sound that comes. */
  hears: (user) => tile(user)?.dataset.speaking === "true",
  /** Whether nothing has been heard of somebody for longer than the synthetic microphones of browsers are ever silent. */
  isSilent: async (user) => {
    for (let looks = 0; looks < 60; looks++) {
      await frame();
      if (tile(user)?.dataset.speaking !== "false") return false;
    }
    return true;
  },
  /** Whether somebody's picture has something in it that changes. */
  sees: async (user, kind) => {
    const video = tile(user, kind)?.querySelector("video");
    const first = print(video);
    for (let looks = 0; looks < 20; looks++) {
      await frame();
      const next = print(video);
      if (first && next && first !== next) return true;
    }
    return false;
  },
  /** What comes of somebody. */
  sends: (user, kind) => (stream(user, kind)?.getTracks() ?? []).filter((track) => track.readyState === "live").map((track) => track.kind).sort().join(),
  users: () => [...tree.querySelectorAll("[data-testid=tile]")].map((it) => `${it.dataset.user}/${it.dataset.kind}`).sort().join(),
  attribute: (id, name) => tree.querySelector(`[data-testid="${id}"]`)?.getAttribute(name) ?? "",
  muted: (user) => tile(user)?.dataset.muted ?? "",
  picture: (user) => tile(user)?.dataset.picture ?? "",
  isShown: (id) => tree.querySelector(`[data-testid="${id}"]`)?.checkVisibility() ?? false,
};
