// The build puts this text in front of the JavaScript that wasm-bindgen writes (see xtask/src/glue.rs). The program has two
// parts (xtask/src/split/): the first is what wasm-bindgen's JavaScript starts, and this loads the second.

/** The exports of the first part, which the second one imports. */
let firstPart;
/** Where the second part is, and the hash that it has to have, if that is known. */
const rest = { address: "", integrity: undefined };
let isWhole = false;

/**
 * Loads the rest of the program while the first part is used already. If that fails, it is loaded once it is needed.
 * `integrity` is a hash as in that attribute of a script, with `sha256-`.
 */
export async function loadRestFrom(address, integrity) {
  Object.assign(rest, { address: String(address), integrity });
  try {
    const response = await fetch(rest.address, { integrity, priority: "low" });
    if (!response.ok) return;
    await WebAssembly.instantiate(await response.arrayBuffer(), { _: firstPart });
    isWhole = true;
  } catch {
    // Whoever needs it sees why it cannot be loaded.
  }
}

/** Returns once the rest of the program is there, which the first part calls now and waits for. */
function demandRest() {
  if (isWhole) return;
  const request = new XMLHttpRequest();
  request.open("GET", rest.address, false);
  // Nothing else gives bytes to whoever waits for them.
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  if (request.status !== 200) throw new Error("A part of the program is missing. The site may have been updated.");
  const bytes = Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0));
  const hash = rest.integrity && `sha256-${btoa(String.fromCharCode(...sha256(bytes)))}`;
  if (hash !== rest.integrity) throw new Error("A part of the program is not what it should be.");
  // It puts its functions into the table, which both share.
  new WebAssembly.Instance(new WebAssembly.Module(bytes), { _: firstPart });
  isWhole = true;
}

