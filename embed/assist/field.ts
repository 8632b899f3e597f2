// Helps to write in a field: offers shortcodes and names, and puts emoji in the place of shortcodes.

import { element, isComposing, write } from "./elements.ts";
import { use } from "./recent.ts";
import type { Table } from "./table.ts";
import { type Begun, OFFERED, begun, closed, names, replaceCodes } from "./words.ts";

interface Offer {
  /** What is written in the place of what was begun. */
  text: string;
  shown: (Node | string)[];
  value: string;
  emoji?: string;
}

const helped = new WeakSet<HTMLTextAreaElement>();

/** Helps in this field from now on. `loadTable` is called when a colon was written. */
export function help(field: HTMLTextAreaElement, loadTable: () => Promise<Table>): void {
  if (helped.has(field)) return;
  helped.add(field);
  new Help(field, loadTable).look();
}

class Help {
  readonly #field: HTMLTextAreaElement;
  readonly #loadTable: () => Promise<Table>;
  #table: Table | undefined;
  #list: HTMLElement | undefined;
  #offers: Offer[] = [];
  #at = 0;
  #begun: Begun | undefined;
  /** Where the list was closed, so that it stays closed there. */
  #refused: number | undefined;
  #wants = false;

  constructor(field: HTMLTextAreaElement, loadTable: () => Promise<Table>) {
    this.#field = field;
    this.#loadTable = loadTable;
    // The keys reach the list before they reach the views, which listen further inside.
    const tree = field.getRootNode();
    const end = new AbortController();
    const alive = () => {
      if (!field.isConnected) end.abort();
      return field.isConnected;
    };
    tree.addEventListener("keydown", (event) => {
      if (alive() && event.composedPath()[0] === field) this.#key(event as KeyboardEvent);
    }, { capture: true, signal: end.signal });
    field.addEventListener("input", (event) => {
      if (!(event as InputEvent).isComposing) this.look((event as InputEvent).inputType === "insertFromPaste");
    });
    field.addEventListener("compositionend", () => this.look());
    field.addEventListener("blur", () => this.#close());
  }

  /** Looks at what stands before the caret. */
  look(whole = false): void {
    const { value, selectionStart: caret, selectionEnd } = this.#field;
    if (value.includes(":")) this.#want();
    if (this.#table && this.#replace(whole)) return;
    const before = value.slice(0, caret);
    const now = caret === selectionEnd ? begun(before) : undefined;
    if (now?.at !== this.#refused) this.#refused = undefined;
    this.#begun = now;
    this.#offers = now && this.#refused === undefined ? this.#find(now) : [];
    this.#show();
  }

  /** Loads the table once. If that fails, what was written stays as it is. */
  #want(): void {
    if (this.#table || this.#wants) return;
    this.#wants = true;
    this.#loadTable().then((table) => {
      this.#table = table;
      if (this.#field.isConnected) this.look(true);
    }, () => {
      this.#wants = false;
    });
  }

  /** Puts an emoji in the place of a shortcode that was closed just now, or of all that were pasted. */
  #replace(whole: boolean): boolean {
    const { value, selectionStart: caret } = this.#field;
    const table = this.#table!;
    const done = closed(value.slice(0, caret), table);
    if (done) {
      write(this.#field, done.emoji, done.at, caret);
      use(done.emoji);
      return true;
    }
    if (!whole) return false;
    const [before, after] = [value.slice(0, caret), value.slice(caret)];
    const replaced = replaceCodes(value, table);
    if (replaced === value) return false;
    const length = replaceCodes(before, table).length;
    write(this.#field, replaced, 0, before.length + after.length);
    this.#field.setSelectionRange(length, length);
    return true;
  }

  #find({ sign, part }: Begun): Offer[] {
    if (sign === "@") {
      const people = (this.#field.dataset.people ?? "").split("\n").filter(Boolean);
      return names(part, people).map((name) => ({ text: `@${name} `, value: name, shown: [element("bdi", { translate: "no" }, name)] }));
    }
    if (part.length < 2 || !this.#table) return [];
    return this.#table.codes(part, OFFERED).map(({ code, emoji }) => ({
      text: emoji, value: code, emoji, shown: [element("span", { "aria-hidden": "true" }, emoji), element("span", { translate: "no" }, `:${code}:`)],
    }));
  }

  #show(): void {
    this.#list?.remove();
    this.#list = undefined;
    this.#at = 0;
    if (!this.#offers.length) return this.#mark();
    const items = this.#offers.map(({ shown, value }, index) => {
      const item = element("div", { role: "option", id: `rt-offer-${index}`, "data-testid": "completion-item", "data-value": value }, ...shown);
      // The field keeps the focus.
      item.onpointerdown = (event) => event.preventDefault();
      item.onclick = () => this.#take(index);
      return item;
    });
    const label = this.#begun?.sign === "@" ? "People" : "Emoji";
    this.#list = element("div", { class: "completion", role: "listbox", id: "rt-offers", "aria-label": label, "data-testid": "completion" }, ...items);
    this.#field.closest(".composer")?.append(this.#list);
    this.#mark();
  }

  #mark(): void {
    const { children } = this.#list ?? { children: [] as unknown as HTMLCollection };
    for (const [index, item] of [...children].entries()) item.setAttribute("aria-selected", String(index === this.#at));
    children[this.#at]?.scrollIntoView({ block: "nearest" });
    if (this.#list) {
      this.#field.setAttribute("aria-controls", "rt-offers");
      this.#field.setAttribute("aria-activedescendant", `rt-offer-${this.#at}`);
    } else {
      this.#field.removeAttribute("aria-controls");
      this.#field.removeAttribute("aria-activedescendant");
    }
  }

  #close(): void {
    this.#offers = [];
    this.#show();
  }

  #take(index: number): void {
    const offer = this.#offers[index];
    const from = this.#begun;
    if (!offer || !from) return;
    this.#close();
    write(this.#field, offer.text, from.at, from.at + 1 + from.part.length);
    if (offer.emoji) use(offer.emoji);
    // A name with a space behind it may begin a longer one.
    this.#refused = from.at;
    this.#close();
    this.#field.focus();
  }

  #key(event: KeyboardEvent): void {
    if (!this.#list || isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const count = this.#offers.length;
    switch (event.key) {
      case "ArrowDown":
        this.#at = (this.#at + 1) % count;
        this.#mark();
        break;
      case "ArrowUp":
        this.#at = (this.#at + count - 1) % count;
        this.#mark();
        break;
      case "Enter":
      case "Tab":
        if (event.shiftKey) return;
        this.#take(this.#at);
        break;
      case "Escape":
        this.#refused = this.#begun?.at;
        this.#close();
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
