// The build puts this text in front of the JavaScript that wasm-bindgen writes (see xtask/src/glue.rs).

// The browser's own `Promise`, because a page that embeds the chat may have replaced the global one.
const Promise = (async () => {})().constructor;

const brokenListeners = [];

/** Calls `listener` with the error when the program breaks. Nothing may call the program from then on. */
export function whenBroken(listener) {
  brokenListeners.push(listener);
}

/**
 * The program's exports. An exception that leaves one of them (a panic, no memory, a stack that is too deep, a function of
 * the browser that fails unexpectedly) has left the program in the middle of its work, so that it cannot go on. Errors that
 * the program means to throw do not come this way: wasm-bindgen throws them after the export has returned.
 */
function guard(exports) {
  let broken;
  const guarded = (call) => (...values) => {
    if (broken) throw broken.error;
    try {
      return call(...values);
    } catch (error) {
      if (!broken) {
        broken = { error };
        for (const listener of brokenListeners) listener(error);
      }
      throw error;
    }
  };
  const entries = Object.entries(exports);
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === "function" ? guarded(value) : value]));
}

