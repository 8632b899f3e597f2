// The picker of emoji: a field to search in, and a grid for each group.

import { element, isComposing } from "./elements.ts";
import { recent, use } from "./recent.ts";
import type { Emoji, Table } from "./table.ts";

/** The picker of each conversation that has one open. */
const open = new WeakMap<Element, Picker>();

/** How the picker ended: with an emoji, or because somebody went elsewhere. */
export interface Picked {
  emoji?: string | undefined;
  left?: boolean;
}

/** Shows the picker in the conversation around a button, and returns what was picked. A second press of the button closes it. */
export function pick(near: HTMLElement, table: Table): Promise<Picked> {
  const place = near.closest(".conversation");
  const before = place && open.get(place);
  if (!place || before?.near === near) {
    before?.close({});
    return Promise.resolve({});
  }
  before?.close({ left: true });
  return new Promise((done) => {
    const picker = new Picker(near, table, (picked) => {
      picker.root.remove();
      open.delete(place);
      if (picked.emoji) use(picked.emoji);
      done(picked);
    });
    open.set(place, picker);
    place.append(picker.root);
    picker.begin();
  });
}

class Picker {
  readonly root: HTMLElement;
  readonly near: HTMLElement;
  readonly #table: Table;
  readonly #field = element("input", {
    type: "search", placeholder: "Search", "aria-label": "Search emoji", "data-testid": "emoji-search", autocomplete: "off", enterkeyhint: "done",
  });
  readonly #groups = element("div", { class: "emoji-groups", tabindex: "-1" });
  readonly #done: (picked: Picked) => void;
  #closed = false;

  constructor(near: HTMLElement, table: Table, done: (picked: Picked) => void) {
    this.near = near;
    this.#table = table;
    this.#done = done;
    this.root = element("div", { class: "emoji-picker", role: "dialog", "aria-label": "Emoji", "data-testid": "emoji-picker" }, this.#field, this.#groups);
    this.#field.oninput = () => this.#show();
    this.root.onkeydown = (event) => this.#key(event);
    this.root.onclick = ({ target }) => {
      const button = (target as Element).closest<HTMLElement>("[data-emoji]");
      if (button) this.close({ emoji: button.dataset.emoji });
    };
    this.root.addEventListener("focusout", ({ relatedTarget }) => {
      // The window as a whole may lose the focus, too; and the button closes the picker by itself.
      if (relatedTarget instanceof Node && relatedTarget !== near && !this.root.contains(relatedTarget)) this.close({ left: true });
    });
    this.#show();
  }

  begin(): void {
    this.#field.focus();
  }

  close(picked: Picked): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#done(picked);
  }

  #show(): void {
    const text = this.#field.value.trim();
    const { groups } = this.#table;
    if (text) {
      const found = this.#table.search(text);
      this.#groups.replaceChildren(found.length ? grid("Found", found) : element("p", { class: "hint", role: "status" }, "Nothing was found."));
      return;
    }
    const known = new Map(this.#table.all().map((it) => [it.emoji, it]));
    const used = recent().flatMap((emoji) => known.get(emoji) ?? []);
    const first = used.length ? [grid("Used last", used)] : [];
    this.#groups.replaceChildren(...first, ...groups.map(({ name, emoji }) => grid(name, emoji)));
  }

  #key(event: KeyboardEvent): void {
    if (isComposing(event)) return;
    const buttons = [...this.#groups.querySelectorAll<HTMLElement>("[data-emoji]")];
    const tree = this.root.getRootNode() as Document | ShadowRoot;
    const at = buttons.indexOf(tree.activeElement as HTMLElement);
    const { key } = event;
    if (key === "Escape") this.close({});
    else if (key === "Enter" && at < 0) {
      // Whoever searched takes the first that was found.
      if (this.#field.value.trim() && buttons[0]) this.close({ emoji: buttons[0].dataset.emoji });
    } else if (/^Arrow/.test(key) && (at >= 0 || key === "ArrowDown")) {
      const next = at < 0 ? buttons[0] : neighbour(buttons, at, key, getComputedStyle(this.root).direction === "rtl");
      (next ?? this.#field).focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function grid(name: string, list: Emoji[]): HTMLElement {
  const buttons = list.map(({ emoji, description, codes }) =>
    element("button", { type: "button", class: "emoji", tabindex: "-1", "data-testid": "emoji", "data-emoji": emoji, "aria-label": description, title: `${description} :${codes[0]}:` }, emoji));
  buttons[0]?.setAttribute("tabindex", "0");
  return element("section", { "aria-label": name }, element("h2", {}, name), element("div", { class: "emoji-grid" }, ...buttons));
}

/** The button in this direction; `undefined` above the first row. */
function neighbour(buttons: HTMLElement[], at: number, key: string, rtl: boolean): HTMLElement | undefined {
  const forwards = rtl ? "ArrowLeft" : "ArrowRight";
  if (key === "ArrowLeft" || key === "ArrowRight") return buttons[Math.max(0, Math.min(buttons.length - 1, at + (key === forwards ? 1 : -1)))];
  const here = buttons[at]!.getBoundingClientRect();
  const step = key === "ArrowDown" ? 1 : -1;
  let best: HTMLElement | undefined;
  let row: number | undefined;
  for (let index = at + step; buttons[index]; index += step) {
    const { left, top } = buttons[index]!.getBoundingClientRect();
    if (Math.abs(top - here.top) < 1) continue;
    row ??= top;
    if (Math.abs(top - row) >= 1) break;
    const distance = (it: HTMLElement) => Math.abs(it.getBoundingClientRect().left - here.left);
    if (!best || Math.abs(left - here.left) < distance(best)) best = buttons[index];
  }
  return best ?? (step > 0 ? buttons[at] : undefined);
}
