// Runs before anything is shown. It is a classic script, since browsers load no modules from files, and its name has no
// hash, so that it is there for a page in a cache whose other files were replaced. It says why the page cannot work, begins
// what the program does first, and keeps what is typed and pressed before the program is there (see src/ui/early.rs).
(() => {
  "use strict";
  const page = document.documentElement;

  /** Shows a sentence in place of the page. */
  function tell(title, sentence, canReload) {
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", () => tell(title, sentence, canReload));
      return;
    }
    const notice = document.getElementById("broken").content.cloneNode(true);
    notice.firstElementChild.dataset.testid = "unloaded";
    notice.querySelector("h1").textContent = title;
    notice.querySelector("p").textContent = sentence;
    const reload = notice.querySelector("button");
    if (canReload) reload.onclick = () => location.reload();
    else reload.remove();
    notice.querySelector("pre").remove();
    document.body.replaceChildren(notice);
  }

  /** Whether the page may reload itself: once in a tab, and never if that cannot be remembered. */
  function mayReload() {
    const key = "rtchat/1/reloaded";
    try {
      if (!navigator.onLine || sessionStorage.getItem(key)) return false;
      sessionStorage.setItem(key, "1");
      return true;
    } catch {
      return false;
    }
  }

  if (location.protocol === "file:") {
    tell(
      "This page was opened as a file",
      "Browsers run its program only if it comes from a web server. Put the folder dist on any static host and open its address there, or run cargo xtask serve.",
    );
    return;
  }

  // A file is missing, as after an update of the site of which a cache knows nothing.
  let gone = false;
  addEventListener("error", ({ target }) => {
    if (gone || !(target instanceof Element) || !target.matches("script, link:not([rel=icon])")) return;
    gone = true;
    if (mayReload()) {
      location.reload();
    } else if (target.rel === "stylesheet") {
      // The program works without it.
      gone = false;
    } else {
      tell(
        "This page could not be loaded",
        "A part of it is missing. The site may have been updated a moment ago, or the network failed. Reload the page to try again.",
        true,
      );
    }
  }, true);

  // Whoever has a name joins without being asked (see `Profile::has_name`).
  let known = false;
  try {
    known = localStorage.getItem("rtchat/1/name") !== null;
  } catch {
    // The program says that storage is blocked.
  }
  page.dataset.start = known ? "room" : "welcome";
  if (location.hash.startsWith("#k=")) page.dataset.private = "";

  // What the room has is remembered from the last visit, so that its frame has the same places: which parts are not there,
  // and the signs and names of its channels, if there are several.
  const FRAME = "rtchat/1/frame";
  let [unused, channels] = ["[data-in=list]", []];
  try {
    [unused, channels] = JSON.parse(localStorage.getItem(FRAME)) ?? [unused, channels];
  } catch {
    // As above.
  }
  // The program knows which names are allowed; these are in any case.
  const named = new URLSearchParams(location.search).get("room");
  const name = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(named ?? "") ? named : "";
  let isListed = false;
  const draw = () => {
    for (const part of document.querySelectorAll(`#early :is(${unused})`)) part.remove();
    const room = document.querySelector("#early .room");
    // A narrow page shows the list first.
    if (room && channels[0]) Object.assign(room.dataset, { list: "", look: "list" });
    const row = !isListed && document.querySelector("#early .talk .name")?.closest("li");
    isListed ||= !!row;
    for (const channel of row ? channels : []) {
      const filled = row.cloneNode(true);
      filled.querySelectorAll("span").forEach((span, at) => { span.textContent = channel[at]; });
      if (channel === channels[0]) filled.firstChild.ariaCurrent = "true";
      row.before(filled);
    }
    if (row) row.remove();
    // With a list, the list has the room's name.
    const names = channels[0] ? "#early .card bdi, #early .room-name bdi" : "#early h1 bdi";
    for (const element of document.querySelectorAll(names)) element.textContent ||= name;
  };
  const parsed = new MutationObserver(draw);
  parsed.observe(page, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => parsed.disconnect());

  /** Remembers what the frame needs to know of these settings. */
  function remember({ channels = [], features = ["files", "channels", "history"] }) {
    const listed = channels.length > 1 && features.includes("channels") ? channels : [];
    const parts = { files: ".attach", history: ".keeping label", ...(!listed[0] && { list: "[data-in=list]" }) };
    const unused = Object.keys(parts).filter((part) => !features.includes(part)).map((part) => parts[part]);
    const rows = listed.map((channel) => [channel.icon ?? "#", channel.name ?? channel]);
    localStorage.setItem(FRAME, JSON.stringify([unused.join(), rows]));
  }

  // The program is compiled while the document is read. If that fails, boot.js loads it again and says what is wrong.
  // Nobody may fetch an address with a password in it, which those of this page have if its own has one.
  const open = (url) => Object.assign(new URL(url, location.href), { username: "", password: "" });
  const compile = async () => {
    const response = await fetch(open(document.querySelector('link[rel="preload"][as="fetch"]').href));
    return response.ok ? WebAssembly.compileStreaming(response) : undefined;
  };
  const program = compile().catch(() => {});

  // What the program does first is begun while it is loading: reading the settings, and connecting to the broker once
  // somebody types their name, or has one and so joins at once (see src/head_start.rs). Nothing is said over that connection
  // before they join.

  /** The broker that comes first where the settings name none. */
  const DEFAULT_BROKER = "wss://broker.emqx.io:8084/mqtt";

  /** The settings about other things. Of any further one this script does not know what the program makes of it. */
  const OTHER_SETTINGS = ["iceServers", "room", "topicPrefix", "accept", "channels", "history", "features"];

  /** For how long a connection waits for somebody to join, in milliseconds. */
  const MAX_WAIT = 20_000;

  /** The address of the broker that the program will try first; `undefined` leaves it to the program. */
  function preferredBroker(settings) {
    const { brokers, ...others } = settings;
    const isUnderstood = !Array.isArray(settings) && typeof settings === "object" &&
      Object.keys(others).every((key) => OTHER_SETTINGS.includes(key));
    if (!isUnderstood) return;
    const first = brokers === undefined ? DEFAULT_BROKER : brokers?.[0];
    const url = first?.url ?? first;
    return /^wss?:\/\//.test(url) ? url : undefined;
  }

  async function brokerFrom(response) {
    const isMissing = response.status === 404 || response.status === 410;
    if (!isMissing && !response.ok) return;
    const text = async () => new TextDecoder("utf-8", { fatal: true }).decode(await response.arrayBuffer());
    const settings = isMissing ? {} : JSON.parse(await text());
    try {
      remember(settings);
    } catch {
      // Storage is blocked, or the program says what is wrong with the file.
    }
    return preferredBroker(settings);
  }

  /** Returns the promise of the response with the settings, and a function that hands over the connection, if there is one. */
  function begin(known) {
    let broker;
    let waiting;
    let joins = known;
    const approach = () => {
      if (!joins || !broker || waiting) return;
      try {
        const socket = new WebSocket(broker, "mqtt");
        const expiry = setTimeout(() => socket.close(), MAX_WAIT);
        waiting = { url: broker, socket, expiry };
      } catch {
        // The program says what is wrong with the address.
      }
    };
    document.addEventListener("input", ({ target }) => {
      if (!target.matches?.("#early input")) return;
      joins = true;
      approach();
    });
    const read = async () => {
      const response = await fetch(open("rtchat.json"), { cache: "no-cache" });
      try {
        broker = await brokerFrom(response.clone());
      } catch {
        // The program says what is wrong with the file.
      }
      approach();
      return response;
    };
    const settings = read();
    // The program asks again.
    settings.catch(() => {});
    const connection = () => {
      const taken = waiting;
      waiting = undefined;
      joins = false;
      clearTimeout(taken?.expiry);
      return taken;
    };
    return { settings, connection };
  }
  window.rtchatBegun = { ...begin(known), program };

  // In a frame, the focus may belong to the page around it. (The attribute `autofocus` would not ask.)
  const focus = () => {
    const field = document.querySelector(known ? "#early textarea" : "#early input");
    if (field && document.activeElement === document.body) field.focus();
    else if (!field && document.readyState === "loading") requestAnimationFrame(focus);
  };
  if (parent === window) requestAnimationFrame(focus);

  /** Remembers a *Join*, or with `false` that the name was changed after it. */
  function press(join) {
    const early = document.getElementById("early");
    early.toggleAttribute("data-join", join);
    const status = early.querySelector("[role=status]");
    status.textContent = join ? status.dataset.words : "";
  }
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("#early .primary")) press(true);
  });
  document.addEventListener("keydown", (event) => {
    // While an input method composes text, the keys belong to it. Safari signals this only by the key code 229.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || composing) return;
    if (event.target.matches?.("#early input")) press(true);
    // What is written waits in its field: nobody is here yet.
    else if (!event.shiftKey && event.target.matches?.("#early textarea")) event.preventDefault();
  });
  document.addEventListener("input", ({ target }) => {
    if (target.matches?.("#early input")) press(false);
  });
})();
