// The options and their valid values. Nothing here touches the page, so all of it is tested without one.

/** The type of an option. Values from attributes and queries are texts; those from rtchat.json and programs can be anything. */
interface Kind {
  /** A description of the valid values, for the console. */
  fits: string;
  /** Returns the parsed value, or `undefined` if it is not valid. */
  read(value: unknown): unknown;
  /**
   * For an option that says where people meet or who is let in: what the program gets of an invalid value. The program
   * stops, or skips what is wrong in a list. Another source or a default in place of it could be more open.
   */
  strict?(value: unknown): unknown;
}

export type Values = Record<string, unknown>;

/** A source of values, and the name of an option in that source. */
export interface Source {
  values: Values;
  called(option: string): string;
}

/** Writes JSON. `JSON.stringify` would call the `toJSON` that older libraries give to every array and object. */
export function json(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => json(entry ?? null)).join()}]`;
  if (typeof value !== "object" || !value) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${json(entry)}`).join()}}`;
}

/** The name of an option as an attribute: `iceServers` becomes `ice-servers`. */
export const dashed = (option: string): string => option.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());

const words = (...fits: string[]): Kind => ({
  fits: fits.map((word) => `"${word}"`).join(", ").replace(/, ([^,]*)$/, " or $1"),
  read: (value) => (fits.includes(value as string) ? value : undefined),
});

/** Spaces and invisible marks at the ends of a text, which copying leaves there. The program cuts off the same ones. */
const EDGES = /^[\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+|[\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+$/g;

/** A text on one line that has between `least` and `most` characters after trimming, in composed form. */
const line = (fits: string, least: number, most: number): Kind => ({
  fits,
  read(value) {
    const text = typeof value === "string" ? value.replace(EDGES, "").normalize() : undefined;
    const length = [...(text ?? "")].length;
    return length < least || length > most || /[\p{Cc}\u2028\u2029]/u.test(text ?? "") ? undefined : text;
  },
});

/** The entries of a list that is written as JSON, or as texts with spaces or commas between them. */
function entriesOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const text = value.trim();
  try {
    return /^[[{]/.test(text) ? JSON.parse(text) : text.split(/[\s,]+/);
  } catch {
    return value;
  }
}

/** A list, as JSON or as texts with spaces or commas between them. One invalid entry makes the whole list invalid. */
const list = (fits: string, address: RegExp, url: string, wrap: (text: string) => unknown): Kind => ({
  fits,
  read(value) {
    if (value === "none") return url === "urls" ? [] : undefined;
    value = entriesOf(value);
    const entries = Array.isArray(value) ? value : [value];
    const fine = (entry: unknown): boolean => {
      const addresses = typeof entry === "string" ? entry : (entry as Values | null)?.[url];
      const all = Array.isArray(addresses) ? addresses : [addresses];
      return all.length > 0 && all.every((text) => typeof text === "string" && address.test(text));
    };
    if (!entries.every(fine) || (!entries.length && url !== "urls")) return undefined;
    return entries.map((entry) => (typeof entry === "string" ? wrap(entry) : entry));
  },
  strict(value) {
    const entries = entriesOf(value);
    return Array.isArray(entries) ? entries.map((entry) => (typeof entry === "string" ? wrap(entry) : entry)) : entries;
  },
});

/** What the chat has. Words that are not known turn nothing on: the program skips them. */
const FEATURES = "files channels dm history";

function featuresOf(value: unknown): unknown {
  const words = value === "none" ? [] : entriesOf(value);
  return Array.isArray(words) ? words.filter((word) => word !== "") : words;
}

/** An option whose invalid values the program judges. */
const strict = (kind: Kind): Kind => ({ ...kind, strict: (value) => value });

/** All options. */
export const OPTIONS: Record<string, Kind> = {
  room: strict(line("a name of at most 64 characters on one line", 0, 64)),
  name: line("a name of 1 to 40 characters on one line", 1, 40),
  brokers: list(
    "addresses that begin with ws:// or wss://, with spaces between them, or a list as in rtchat.json",
    /^wss?:\/\/[^\s/?#]+[^\s#]*$/i, "url", (text) => text,
  ),
  iceServers: list(
    'stun: addresses with spaces between them, a list as in rtchat.json (turn: wants username and credential), or "none"',
    /^(stun|turn)s?:[^\s/]+$/i, "urls", (urls) => ({ urls }),
  ),
  accept: strict(words("everyone", "ask", "known")),
  history: strict(words("off", "session", "kept")),
  calls: strict(words("off", "audio", "video")),
  features: {
    fits: `some of "${FEATURES}", or "none"`,
    read(value) {
      const words = featuresOf(value);
      return Array.isArray(words) && words.every((word) => FEATURES.split(" ").includes(word)) ? words : undefined;
    },
    strict: featuresOf,
  },
  theme: words("auto", "light", "dark"),
  position: words("bottom-right", "bottom-left", "top-right", "top-left"),
  open: {
    fits: '"true" or "false"',
    read: (value) =>
      ["", "true", "1", "yes", true].includes(value as string) ? true
      : ["false", "0", "no", false].includes(value as string) ? false
      : undefined,
  },
  lang: words("en"),
  page: {
    fits: "the address of a page",
    read(value) {
      try {
        return typeof value === "string" && value && /^https?:/.test(new URL(value, "https://example.org").href) ? value : undefined;
      } catch {
        return undefined;
      }
    },
  },
  config: { fits: "the address of a rtchat.json", read: (value) => (typeof value === "string" && value) || undefined },
};

/**
 * Takes each option from the first source that has a valid value. Invalid values are reported. They count as not given,
 * unless the program has to judge them.
 */
export function resolve(sources: Source[], warn: (sentence: string) => void): Values {
  const resolved: Values = {};
  for (const [option, kind] of Object.entries(OPTIONS)) {
    for (const { values, called } of sources) {
      const given = values[option];
      if (given == null) continue;
      const value = kind.read(given);
      if (value !== undefined) {
        resolved[option] = value;
        break;
      }
      const shown = typeof given === "string" ? `"${given}"` : json(given);
      const sentence = `rtchat: ${called(option)} should be ${kind.fits}, not ${shown}.`;
      if (kind.strict) {
        warn(sentence);
        resolved[option] = kind.strict(given);
        break;
      }
      warn(`${sentence} It counts as not given.`);
    }
  }
  return resolved;
}

/** The options in a query, and whether it asks for the widget: `?add`, `=true`, `=1` or `=yes`. */
export function query(search: URLSearchParams): { add: boolean; source: Source } {
  const values: Values = {};
  for (const [key, value] of search) values[key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] ??= value;
  return {
    add: OPTIONS.open!.read(values.add) === true,
    source: { values, called: (option) => `?${dashed(option)}=` },
  };
}

/**
 * Parses `rtchat.json`, which must contain an object.
 *
 * @throws An error whose message says what is wrong.
 */
export function file(bytes: BufferSource): Values {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Error(
      error instanceof SyntaxError
        ? `it is not valid JSON (${error.message}). If there is no such file, the server should answer 404`
        : "it is not text in UTF-8",
    );
  }
  if (value && typeof value === "object" && !Array.isArray(value)) return value as Values;
  throw new Error('it should be an object, { "room": … }');
}

/** Options of the widget that the program does not know. */
const WIDGET_OPTIONS = ["name", "theme", "position", "open", "lang", "page", "config"];

/** The settings for the program, as in rtchat.json: those of the file, which the program validates, overridden by the given ones. */
export function settings(file: Values, given: Values): string {
  const all = { ...file, ...given };
  for (const option of WIDGET_OPTIONS) delete all[option];
  return json(all);
}
