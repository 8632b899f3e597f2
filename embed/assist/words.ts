// What is being written before the caret, and what replaces it. Nothing here touches the page.

import { type Table, fold } from "./table.ts";

/** At most this many are offered. */
export const OFFERED = 8;

/** A name or a shortcode that is being written: where its sign stands, and what follows. */
export interface Begun {
  sign: "@" | ":";
  at: number;
  part: string;
}

/** What may stand right before a name or a shortcode: nothing that belongs to a time, an address or a word. */
const BEFORE = String.raw`(?<=^|[\s([{"'“‘¡¿*~_>\p{Extended_Pictographic}\u{fe0f}])`;
const CODE = String.raw`[a-z0-9_+\-]+`;

const NAME = new RegExp(`${BEFORE}@([^\\n@]{0,40})$`, "u");
const SHORTCODE = new RegExp(`${BEFORE}:(${CODE})$`, "iu");
const WHOLE = new RegExp(`${BEFORE}(?::${CODE}:)+`, "giu");
const EACH = new RegExp(`:(${CODE}):`, "giu");

/** Blocks of code and code in a line, as far as they are closed. */
const CODE_PARTS = /^[ \t]*```[^]*?(?:^[ \t]*```|$(?![^]))|(`+)[^\n]*?[^`\n]\1(?!`)/gm;

/** Whether somebody who has written this is writing code. */
export function isInCode(before: string): boolean {
  const fences = before.match(/^[ \t]*```/gm)?.length ?? 0;
  if (fences % 2 === 1) return true;
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return (line.match(/`+/g)?.length ?? 0) % 2 === 1;
}

/** What is being written at the end of this text. */
export function begun(before: string): Begun | undefined {
  const name = NAME.exec(before);
  const code = name ? null : SHORTCODE.exec(before);
  const found = name ?? code;
  if (!found || isInCode(before)) return;
  return { sign: name ? "@" : ":", at: found.index, part: found[1]! };
}

/** The names that begin like this. */
export function names(part: string, people: string[]): string[] {
  const wanted = fold(part);
  return people.filter((name) => fold(name).startsWith(wanted)).slice(0, OFFERED);
}

/** Whether a text has anything that could be a shortcode. */
export const hasCode = (text: string): boolean => text.search(WHOLE) >= 0;

/** Replaces every shortcode that is written in full, but not in code. */
export function replaceCodes(text: string, table: Table): string {
  const replace = (part: string, before: string) => {
    // The character before a piece decides whether a shortcode may begin there.
    const joined = before.slice(-2) + part;
    return joined.replace(WHOLE, (row) => row.replace(EACH, (whole, code: string) => table.of(code) ?? whole)).slice(before.slice(-2).length);
  };
  let written = "";
  let end = 0;
  for (const { index, 0: code } of text.matchAll(CODE_PARTS)) {
    written += replace(text.slice(end, index), text.slice(0, end)) + code;
    end = index + code.length;
  }
  return written + replace(text.slice(end), text.slice(0, end));
}

/** The shortcode that ends with this text, and its emoji. */
export function closed(before: string, table: Table): { at: number; emoji: string } | undefined {
  const code = before.endsWith(":") ? SHORTCODE.exec(before.slice(0, -1)) : null;
  const emoji = code && !isInCode(before) ? table.of(code[1]!) : undefined;
  return code && emoji !== undefined ? { at: code.index, emoji } : undefined;
}
