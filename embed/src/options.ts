// Reads the options that JavaScript has to understand. The engine checks all others.
import type { Options, QuestionHandler } from "../mqtt-rtc.js";

/** Converts the options to JSON for the engine. */
export function toEngine(options: Options): string {
  if (typeof options !== "object" || options === null) {
    throw new TypeError('The option "options" should be an object.');
  }
  const { questionHandlers, page, config, ...rest } = options;
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    // Values that JSON would leave out become null, which the engine refuses.
    const isJson = !["function", "symbol", "bigint"].includes(typeof value);
    given[key] = isJson ? value : null;
  }
  if (page !== undefined) given["page"] = absolute(page) ?? String(page);
  if (config !== undefined) {
    given["config"] = absolute(config);
    if (!given["config"]) throw new TypeError('The option "config" should be the address of a file.');
  }
  return JSON.stringify(given);
}

/** Reads the question handlers from the options. */
export function questionHandlers(options: Options): [string, QuestionHandler][] {
  const handlers: unknown = options.questionHandlers ?? {};
  const isObject = typeof handlers === "object" && handlers !== null;
  const entries = isObject ? Object.entries(handlers) : [];
  if (!isObject || entries.some(([, handler]) => typeof handler !== "function")) {
    throw new TypeError('The option "questionHandlers" should be an object with a function for each topic.');
  }
  return entries;
}

function absolute(address: unknown): string | undefined {
  if (typeof address !== "string" && !(address instanceof URL)) return undefined;
  try {
    return new URL(address, globalThis.document?.baseURI).href;
  } catch {
    return undefined;
  }
}
