// What the panel shows until the program is there: the welcome, or the frame of the room for whoever has a name. The program
// takes over what was typed and pressed in it (see src/ui/early.rs), and `start.js` does the same for the chat's own page.

import type { Panel, Tree } from "./contract.ts";

/** The storage key of the name of the person at this browser (see src/identity/store.rs). */
const NAME_KEY = "rtchat/1/name";

/** Whether a name is stored in this browser. */
function knowsName(): boolean {
  try {
    return localStorage.getItem(NAME_KEY) !== null;
  } catch {
    return false;
  }
}

/** Creates elements one by one, because Trusted Types forbids markup. */
function grow([tag, attributes, ...children]: Tree): Element {
  const isDrawing = tag === "svg" || tag === "path";
  const element = isDrawing ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map((child) => (typeof child === "string" ? child : grow(child))));
  return element;
}

/** Builds it, for a room that may have a name, and somebody who may have one that the site gave. */
export function early(panel: Panel, room: string | undefined, hasName: boolean): HTMLElement {
  const early = document.createElement("div");
  early.id = "early";
  early.append(grow(hasName || knowsName() ? panel.room : panel.welcome));
  early.querySelector("h1 bdi")!.textContent = room ?? "";
  const status = early.querySelector<HTMLElement>("[role=status]");
  /** Remembers a *Join*, or with `false` that the name was changed after it. */
  const press = (join: boolean) => {
    if (!status) return;
    early.toggleAttribute("data-join", join);
    status.textContent = join ? status.dataset.words! : "";
  };
  early.onclick = ({ target }) => {
    if ((target as Element).closest(".primary")) press(true);
  };
  early.onkeydown = (event) => {
    // While an input method composes text, the keys belong to it. Safari signals this only by the key code 229.
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
    if ((event.target as Element).matches("input")) press(true);
    // The message stays in its field, because nobody can receive it yet.
    else if (!event.shiftKey && (event.target as Element).matches("textarea")) event.preventDefault();
  };
  early.oninput = () => press(false);
  return early;
}
