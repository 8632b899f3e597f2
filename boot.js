// Starts the program. This is a separate file, because the Content-Security-Policy forbids inline scripts. Trunk writes the
// two links (see Trunk.toml), whose file names contain the hashes of this build.
const code = document.querySelector('link[rel="modulepreload"]');
const program = document.querySelector('link[rel="preload"][as="fetch"]');
// What shows pictures and players, which is imported when there is one.
const pictures = document.querySelector('meta[name="rtchat-media"]').content;
// What shows calls and holds devices, which is imported when there is one.
const calls = document.querySelector('meta[name="rtchat-calls"]').content;
// What keeps what is said, which is imported when there is a room.
const store = document.querySelector('meta[name="rtchat-store"]').content;

/**
 * Does what the views ask for once somebody writes; see embed/assist/assist.ts. The build gives both files the hash of what
 * they contain.
 */
async function assist(...request) {
  const { assist } = await import("./assist-0000000000000000.js");
  const table = new URL("./emoji-0000000000000000.json", import.meta.url);
  return assist(() => fetch(plain(table)), ...request);
}

/** Loads what writes what was said as a file. */
const archive = () => import("./archive-0000000000000000.js");

/** This address without the name and the password that it may contain: nobody may fetch it with those. */
const plain = (address) => Object.assign(new URL(address), { username: "", password: "" });

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
  const response = await fetch(plain(program.href)).catch(() => undefined);
  const isPage = response?.headers.get("content-type")?.startsWith("text/html");
  if (!response?.ok || isPage) throw new Missing(program);
  return response;
}

async function run() {
  try {
    const begun = window.rtchatBegun;
    const [{ default: start, mount, whenBroken }, compiled] = await Promise.all([load(), begun?.program]);
    await start({ module_or_path: compiled ?? (await fetchProgram()) });
    mount(document.body, { ...begun, assist, media: () => import(pictures), calls: () => import(calls), store: () => import(store), archive });
    whenBroken(showBroken);
  } catch (error) {
    console.error(error);
    if (error instanceof Missing) error.link.dispatchEvent(new Event("error"));
    else showBroken(error, couldNotStart);
  }
}

// Firefox loads modules from files, too, but `start.js` has said that the page does not work from one.
if (location.protocol !== "file:") await run();
