// What was said in a room, as a file: loaded when somebody exports it. src/ui/export.rs calls it.

import type { Room } from "./model.ts";
import { page } from "./page.ts";
import { text } from "./text.ts";

export { page, text };

export type Format = "html" | "text" | "json";

const KINDS: Record<Format, { type: string; ending: string }> = {
  html: { type: "text/html;charset=utf-8", ending: "html" },
  text: { type: "text/plain;charset=utf-8", ending: "txt" },
  json: { type: "application/json", ending: "json" },
};

/** The name of the file: the room and the day here, in letters that every system takes. */
export function fileName(room: string, at: number, format: Format): string {
  const plain = room.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  const date = new Date(at);
  const digits = (number: number, count: number) => String(number).padStart(count, "0");
  const day = [digits(date.getFullYear(), 4), digits(date.getMonth() + 1, 2), digits(date.getDate(), 2)].join("-");
  return `rtchat-${[...plain].slice(0, 40).join("") || "room"}-${day}.${KINDS[format].ending}`;
}

/** Saves a room. The content is the file itself for `json`, and else what the file is written from. */
export function save(format: Format, room: string, content: string): void {
  const now = Date.now();
  const file = format === "json" ? content : (format === "html" ? page : text)(JSON.parse(content) as Room, now);
  const address = URL.createObjectURL(new Blob([file], { type: KINDS[format].type }));
  Object.assign(document.createElement("a"), { href: address, download: fileName(room, now, format) }).click();
  // Browsers read the address after the click.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
