// The small picture of oneself, which lies over the others in a corner, and can be taken to another one.

import type { Place } from "./grid.ts";

const GAP = 8;
/** Fewer pixels are a press, and no drag. */
const SLACK = 4;

export class Floating {
  readonly #root: HTMLElement;
  readonly #moved: () => void;
  #corner = { end: true, bottom: true };
  #from: { x: number; y: number; id: number } | undefined;
  isOn = false;

  constructor(root: HTMLElement, moved: () => void) {
    this.#root = root;
    this.#moved = moved;
    root.addEventListener("pointerdown", (event) => this.#down(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerup", (event) => this.#up(event));
    root.addEventListener("pointercancel", () => this.#rest());
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Where it lies in a space of this size. */
  place(width: number, height: number): Place {
    const size = { width: Math.round(Math.min(200, Math.max(76, width * 0.2))), height: 0 };
    size.height = Math.round(Math.min((size.width * 3) / 4, height * 0.4));
    const { end, bottom } = this.#corner;
    return { x: end ? width - size.width - GAP : GAP, y: bottom ? height - size.height - GAP : GAP, ...size };
  }

  #down({ pointerId, clientX, clientY, target, button }: PointerEvent): void {
    if (!this.isOn || button !== 0 || (target as Element).closest("button, input")) return;
    this.#from = { x: clientX, y: clientY, id: pointerId };
    this.#root.setPointerCapture(pointerId);
  }

  #move({ pointerId, clientX, clientY }: PointerEvent): void {
    if (this.#from?.id !== pointerId) return;
    this.#root.toggleAttribute("data-dragged", true);
    this.#root.style.setProperty("transform", `translate(${clientX - this.#from.x}px, ${clientY - this.#from.y}px)`);
  }

  #up({ pointerId, clientX, clientY }: PointerEvent): void {
    const from = this.#from;
    if (from?.id !== pointerId) return;
    const space = this.#root.parentElement!.getBoundingClientRect();
    const box = this.#root.getBoundingClientRect();
    this.#rest();
    if (Math.hypot(clientX - from.x, clientY - from.y) < SLACK) return;
    const isRight = box.left + box.width / 2 > space.left + space.width / 2;
    this.#put(isRight !== this.#isRtl(), box.top + box.height / 2 > space.top + space.height / 2);
  }

  #rest(): void {
    this.#from = undefined;
    this.#root.removeAttribute("data-dragged");
    this.#root.style.removeProperty("transform");
  }

  #key(event: KeyboardEvent): void {
    if (!this.isOn || event.target !== this.#root) return;
    const { end, bottom } = this.#corner;
    if (event.key === "ArrowUp") this.#put(end, false);
    else if (event.key === "ArrowDown") this.#put(end, true);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.#put((event.key === "ArrowRight") !== this.#isRtl(), bottom);
    else return;
    event.preventDefault();
  }

  #put(end: boolean, bottom: boolean): void {
    this.#corner = { end, bottom };
    this.#moved();
  }

  #isRtl(): boolean {
    return getComputedStyle(this.#root).direction === "rtl";
  }
}
