// Push to talk: who is muted speaks while they hold Space, if nothing else wants it.

import type { Self } from "./self.ts";

/** What uses Space by itself. */
const OTHERS = "input, textarea, select, button, summary, a, video, [contenteditable], [role=button], [role=textbox]";

export class Talking {
  readonly #root: HTMLElement;
  readonly #self: Self;
  #isOn = false;
  #isHeld = false;

  constructor(root: HTMLElement, self: Self) {
    this.#root = root;
    this.#self = self;
  }

  listen(on: boolean): void {
    if (on === this.#isOn) return;
    this.#isOn = on;
    this.#isHeld = false;
    const change = on ? "addEventListener" : "removeEventListener";
    document[change]("keydown", this.#press as EventListener);
    document[change]("keyup", this.#release);
    window[change]("blur", this.#release);
  }

  readonly #press = (event: KeyboardEvent): void => {
    if (event.code !== "Space" || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const [target] = event.composedPath();
    if (this.#self.on.microphone || !this.#isOurs(event)) return;
    if (target instanceof Element && target.closest(OTHERS)) return;
    event.preventDefault();
    this.#isHeld = true;
    void this.#self.turn("microphone", true);
  };

  readonly #release = (event: Event): void => {
    if (!this.#isHeld || (event instanceof KeyboardEvent && event.code !== "Space")) return;
    this.#isHeld = false;
    void this.#self.turn("microphone", false);
  };

  /** In another page, only what happens inside of the chat belongs to it. */
  #isOurs(event: Event): boolean {
    const tree = this.#root.getRootNode();
    return tree === document || event.composedPath().includes(tree);
  }
}
