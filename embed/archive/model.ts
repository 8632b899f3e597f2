/** What src/ui/export.rs hands over. */
export interface Room {
  room: string;
  /** The name of whoever exports it. */
  by: string;
  talks: Talk[];
}

export interface Talk {
  title: string;
  direct: boolean;
  messages: Said[];
}

export interface Said {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  sender: string;
  /** The fingerprint of the sender's key. */
  key: string;
  own: boolean;
  text: string;
  /** The text as HTML, whose elements are the program's own; only for a page. */
  html?: string;
  /** Earlier texts, oldest first. */
  earlier: string[];
  reactions: { emoji: string; names: string[] }[];
  retracted: boolean;
  imported: boolean;
  /** The id of the message that it answers. */
  answers?: string;
  file?: { name: string; size: number };
}

export const TAKEN_BACK = "Taken back";
export const IMPORTED = "Imported: nobody can prove that this was said.";
export const NOT_HERE = "A message that is not here";

/** Times in the reader's own format. */
export const time = new Intl.DateTimeFormat([], { timeStyle: "short" });
export const day = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });
export const moment = new Intl.DateTimeFormat([], { dateStyle: "full", timeStyle: "short" });

/** The same text for all moments of one day here. */
export const dayOf = (at: number): string => new Date(at).toDateString();

/** `3 kB` */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${unit > 0 && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/** The beginning of a text, on one line. */
export function excerpt(text: string): string {
  const line = [...text.replace(/\s+/g, " ").trim()];
  return line.length > 100 ? `${line.slice(0, 100).join("")} …` : line.join("");
}
