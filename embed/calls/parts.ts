// Pieces that several views have: buttons, faces, switches, selects, and panels that open beside a button.

import { element } from "../assist/elements.ts";
import type { Host, Person, View } from "./contract.ts";
import type { Connections } from "./adapter.ts";
import type { Devices, DeviceKind } from "./devices.ts";
import { CHECK, SHIELD, WARNING, icon } from "./icons.ts";
import type { Own } from "./own.ts";
import type { Self } from "./self.ts";

/** What all views of one chat share. */
export interface Context {
  host: Host;
  connections: Connections;
  devices: Devices;
  own: Own;
  self: Self;
}

const NOBODY: Person = { user: "somebody", hue: 0, letter: "?", trust: "new", safety: "" };

export const person = (view: View, peer: string): Person => view.people[peer] ?? NOBODY;

/** Longer names are of no use to anybody. */
const LONGEST = 80;

/** Somebody's name. It is text, in whichever direction it is written, and no translation may change it. */
export function name(user: string, look = ""): HTMLElement {
  return element("bdi", { class: `name ${look}`, translate: "no" }, user.slice(0, LONGEST));
}

/** The avatar of a person. */
export function face({ hue, letter }: Person): HTMLElement {
  const made = element("span", { class: "face", "aria-hidden": "true", translate: "no" }, letter.slice(0, 8));
  // Sites may forbid styles in markup.
  made.style.setProperty("--hue", String(Number(hue) || 0));
  return made;
}

const TRUST: Record<Person["trust"], string> = {
  own: "You, in another tab",
  new: "You haven't met before",
  known: "You have met before",
  verified: "Verified: you have compared the numbers",
  warning: "This name belonged to somebody else before",
};

/** The mark of trust beside a name, with its sentence. */
export function trust({ trust }: Person): HTMLElement {
  const words = TRUST[trust] ?? TRUST.new;
  if (trust === "new") return element("span", { class: "trust", "data-look": "new", title: words }, "new");
  const path = trust === "verified" ? SHIELD : trust === "warning" ? WARNING : CHECK;
  return element("span", { class: "trust", "data-look": trust === "warning" ? "name-on-another-key" : trust, title: words }, icon(path), element("span", { class: "sr" }, words));
}

/** A button with an icon; its words are its label and tooltip. */
export function button(look: string, testId: string, words: string, path: string, canBeOff = false): HTMLButtonElement {
  return element("button", { type: "button", class: look, "data-testid": testId, "aria-label": words, title: words }, icon(path, canBeOff));
}

/** A button with words. */
export function worded(look: string, testId: string, words: string, pressed: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: look, "data-testid": testId }, words);
  made.onclick = pressed;
  return made;
}

/** Gives an element another label, which is its tooltip, too. */
export function label(of: HTMLElement, words: string): void {
  if (of.title === words) return;
  of.title = words;
  of.setAttribute("aria-label", words);
}

/** Sets attributes that differ, so that nothing is announced or drawn anew without need. */
export function set(of: HTMLElement, attributes: Record<string, string | boolean | number>): void {
  for (const [key, value] of Object.entries(attributes)) {
    const text = String(value);
    if (of.getAttribute(key) !== text) of.setAttribute(key, text);
  }
}

/** Sets a text that differs. */
export function say(of: HTMLElement, text: string): void {
  if (of.textContent !== text) of.textContent = text;
}

/** A switch with its words. */
export function toggle(testId: string, words: string, on: boolean, turned: (on: boolean) => void, hint = ""): HTMLElement {
  const box = element("input", { type: "checkbox", role: "switch", "data-testid": testId });
  box.checked = on;
  box.onchange = () => turned(box.checked);
  const text = element("span", {}, words);
  if (hint) text.append(element("small", {}, hint));
  return element("label", { class: "switch" }, text, box);
}

const WORDS: Record<DeviceKind, string> = { camera: "Camera", microphone: "Microphone", speaker: "Speaker" };

/** A select of the devices of a kind; it is hidden while there is nothing to choose. */
export async function deviceSelect(devices: Devices, kind: DeviceKind, used: MediaStreamTrack | undefined, chosen: () => void): Promise<HTMLElement | undefined> {
  const list = await devices.list(kind);
  if (!list.length) return undefined;
  const select = element("select", { "data-testid": `${kind}-choice` });
  const current = used?.getSettings().deviceId || devices.choice[kind];
  for (const { id, name } of list) {
    const option = element("option", { value: id, dir: "auto", translate: "no" }, name.slice(0, LONGEST));
    option.selected = id === current;
    select.append(option);
  }
  select.onchange = () => {
    devices.choose({ [kind]: select.value });
    chosen();
  };
  return element("label", { class: "choice" }, element("span", {}, WORDS[kind]), select);
}

/** The three switches of the microphone. */
export function soundSwitches(devices: Devices, changed: () => void): HTMLElement[] {
  const { echo, noise, gain } = devices.choice;
  const part = (key: "echo" | "noise" | "gain") => (on: boolean) => {
    devices.choose({ [key]: on });
    changed();
  };
  return [
    toggle("echo", "Remove echo", echo, part("echo")),
    toggle("noise", "Remove noise", noise, part("noise")),
    toggle("gain", "Even out loudness", gain, part("gain")),
  ];
}

/** So far, in pixels, a panel stays from the edge of the chat, and so high it is at least. */
const EDGE = 8;
const LOWEST = 96;

/** What opens beside a button: it closes on Escape and on a press elsewhere, and gives the focus back. */
export class Panel {
  readonly root: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #fill: () => (Node | string)[] | Promise<(Node | string)[]>;

  constructor(button: HTMLButtonElement, words: string, look: string, fill: () => (Node | string)[] | Promise<(Node | string)[]>) {
    this.#button = button;
    this.#fill = fill;
    this.root = element("div", { class: `call-panel ${look}`, role: "group", "aria-label": words, tabindex: "0", hidden: "" });
    set(button, { "aria-expanded": "false" });
    button.onclick = () => (this.isOpen ? this.close() : void this.open());
    this.root.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    };
    this.root.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && relatedTarget !== button && !this.root.contains(relatedTarget)) this.#hide();
    });
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  async open(): Promise<void> {
    document.addEventListener("pointerdown", this.#elsewhere);
    this.root.hidden = false;
    set(this.#button, { "aria-expanded": "true" });
    await this.fill();
    this.fit();
    this.root.focus({ preventScroll: true });
  }

  /** What would stand outside of the chat is scrolled to instead. */
  fit(): void {
    const room = this.root.closest(".rt")?.getBoundingClientRect();
    if (!room) return;
    this.root.style.removeProperty("max-block-size");
    const { top, bottom, height } = this.root.getBoundingClientRect();
    const over = Math.max(0, bottom + EDGE - room.bottom, room.top + EDGE - top);
    if (over > 0) this.root.style.setProperty("max-block-size", `${Math.max(LOWEST, height - over)}px`);
  }

  /** Draws its content anew, if it is open. */
  async fill(): Promise<void> {
    const content = await this.#fill();
    if (this.isOpen) this.root.replaceChildren(...content);
  }

  close(): void {
    if (!this.isOpen) return;
    this.#hide();
    this.#button.focus();
  }

  /** Closes it without a word. */
  discard(): void {
    this.#hide();
  }

  #hide(): void {
    document.removeEventListener("pointerdown", this.#elsewhere);
    this.root.hidden = true;
    this.root.replaceChildren();
    set(this.#button, { "aria-expanded": "false" });
  }

  readonly #elsewhere = (event: Event): void => {
    const path = event.composedPath();
    if (!path.includes(this.root) && !path.includes(this.#button)) this.#hide();
  };
}
