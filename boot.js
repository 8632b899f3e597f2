// Starts the program. This is a separate file, because the Content-Security-Policy forbids inline scripts. Trunk writes the
// two links (see Trunk.toml), whose file names contain the hashes of this build.
const code = document.querySelector('link[rel="modulepreload"]');
const program = document.querySelector('link[rel="preload"][as="fetch"]');

/** Covers the page with a notice, because it would do nothing any more. */
function showBroken(error, change) {
  const notice = document.getElementById("broken").content.cloneNode(true);
  // Not every browser's stack begins with the message.
  const [message, stack] = [String(error), error?.stack ?? ""];
  notice.querySelector("pre").textContent = stack.includes(message) ? stack : `${message}\n${stack}`;
  change?.(notice);
  const reload = notice.querySelector("button");
  reload.onclick = () => location.reload();
  document.body.append(notice);
  // In a frame, the focus may belong to the page around it.
  if (parent === window || document.hasFocus()) reload.focus();
}

function couldNotStart(notice) {
  notice.firstElementChild.dataset.testid = "unloaded";
  notice.querySelector("h1").textContent = "rtchat could not start";
  notice.querySelector("p").textContent = "Reload the page, or try a current browser.";
}

/** The file of this link is missing. `start.js` is told, as the browser tells it of other files. */
class Missing extends Error {
  constructor(link) {
    super(`${link.href} is missing`);
    this.link = link;
  }
}

/** Imports the JavaScript of the program. A file that is there but cannot be read gives an error of another kind. */
async function load() {
  try {
    return await import(code.href);
  } catch (error) {
    throw error instanceof TypeError ? new Missing(code) : error;
  }
}

/** Fetches the program. Some hosts answer with a page in place of what is missing. */
async function fetchProgram() {
  const response = await fetch(program.href).catch(() => undefined);
  const isPage = response?.headers.get("content-type")?.startsWith("text/html");
  if (!response?.ok || isPage) throw new Missing(program);
  return response;
}

// What the program does first is begun while it is loading: reading the settings, and connecting to the broker once somebody
// types their name, or has one and so joins at once (see src/head_start.rs). Nothing is said over that connection before.

/** The broker that comes first where the settings name none. */
const DEFAULT_BROKER = "wss://broker.emqx.io:8084/mqtt";

/** The settings about other things. Of any further one this script does not know what the program makes of it. */
const OTHER_SETTINGS = ["iceServers", "room", "topicPrefix", "accept"];

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
  if (response.status === 404 || response.status === 410) return DEFAULT_BROKER;
  if (!response.ok) return;
  const text = new TextDecoder("utf-8", { fatal: true }).decode(await response.arrayBuffer());
  return preferredBroker(JSON.parse(text));
}

/** Returns the promise of the response with the settings, and a function that hands over the connection, if there is one. */
function begin() {
  let broker;
  let waiting;
  let joins = document.documentElement.dataset.start === "room";
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
    const response = await fetch("rtchat.json", { cache: "no-cache" });
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

async function run() {
  const begun = begin();
  try {
    const [{ default: start, mount, whenBroken }, response] = await Promise.all([load(), fetchProgram()]);
    await start({ module_or_path: response });
    mount(document.body, begun);
    whenBroken(showBroken);
  } catch (error) {
    console.error(error);
    if (error instanceof Missing) error.link.dispatchEvent(new Event("error"));
    else showBroken(error, couldNotStart);
  }
}

// Firefox loads modules from files, too, but `start.js` has said that the page does not work from one.
if (location.protocol !== "file:") await run();
