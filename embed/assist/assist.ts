// What the composer and the menus of messages load when they need it: the picker of emoji, and help with writing. The table of
// emoji comes in a file of its own. src/ui/assist.rs calls it.

import { write } from "./elements.ts";
import { help } from "./field.ts";
import { pick } from "./picker.ts";
import { Table } from "./table.ts";
import { hasCode, replaceCodes } from "./words.ts";

let loading: Promise<Table> | undefined;

/** Loads the table. If that failed, the next call tries again. */
function table(fetchTable: () => Promise<Response>): Promise<Table> {
  const load = async () => {
    try {
      const response = await fetchTable();
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      return new Table((await response.json()) as string[][]);
    } catch (error) {
      loading = undefined;
      throw error;
    }
  };
  return (loading ??= load());
}

/** How long a message waits for the table, in milliseconds. Then it is sent as it was typed. */
const PATIENCE = 1_500;

/** The text with emoji in the place of shortcodes; as it was, if the table is not there soon. */
async function soon(text: string, loading: Promise<Table>): Promise<string> {
  // Pages may have replaced `Promise` by one that has no `race`.
  const table = await new Promise<Table | undefined>((done, failed) => {
    loading.then(done, failed);
    setTimeout(() => done(undefined), PATIENCE);
  });
  return table ? replaceCodes(text, table) : text;
}

/** What the views ask for. */
export type Request =
  | ["help", field: HTMLTextAreaElement]
  | ["finish", text: string]
  | ["pick", near: HTMLElement, field?: HTMLTextAreaElement];

/**
 * Does what the views ask for.
 *
 * @returns The text for `finish`, the emoji for `pick`, if one was picked.
 * @throws If the table cannot be loaded.
 */
export async function assist(fetchTable: () => Promise<Response>, ...request: Request): Promise<string | undefined> {
  const load = () => table(fetchTable);
  switch (request[0]) {
    case "help":
      help(request[1], load);
      return;
    case "finish":
      return hasCode(request[1]) ? soon(request[1], load()) : request[1];
    case "pick": {
      const [, near, field] = request;
      if (field) help(field, load);
      const { emoji, left } = await pick(near, await load());
      if (!left) (field ?? near).focus();
      if (emoji !== undefined && field) write(field, emoji, field.selectionStart, field.selectionEnd);
      return emoji;
    }
  }
}
