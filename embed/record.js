// The build puts this text in the place of embed/rest.js while `cargo xtask split` finds out which functions of the program the
// first message needs.

let firstPart;
const called = (globalThis.rtchatCalled = new Set());

export async function loadRestFrom() {
  // What embed/rest.js needs itself cannot be in the rest.
  if (typeof sha256 === "function") sha256(new Uint8Array(1));
}

/** Every function calls this with its number. */
function demandRest(number) {
  called.add(number);
}

