// Calls that ring, as a card over the conversation, and those that run without us, as a line with a button.

import { element } from "../assist/elements.ts";
import type { View } from "./contract.ts";
import { CAMERA, CLOSE, PHONE, icon } from "./icons.ts";
import { type Context, face, name, person, set, trust } from "./parts.ts";
import { Tone } from "./sound.ts";

/** So many are shown at once. */
const MOST = 3;
/** So many faces stand in a line. */
const FACES = 4;

export class Rings {
  readonly root = element("div", { class: "call-rings" });
  readonly #context: Context;
  readonly #answer: (call: string, video: boolean) => void;
  readonly #cards = new Map<string, { root: HTMLElement; looks: string }>();
  readonly #tone = new Tone();

  constructor(context: Context, answer: (call: string, video: boolean) => void) {
    this.#context = context;
    this.#answer = answer;
  }

  show(view: View): void {
    const rings = view.rings.slice(0, MOST);
    const running = view.running.filter(({ call }) => call !== view.call?.id).slice(0, MOST);
    const keys = new Set<string>();
    for (const ring of rings) {
      const from = person(view, ring.from);
      this.#put(keys, `ring ${ring.call}`, JSON.stringify([ring, from, view.allowed]), () => this.#ring(ring, view));
    }
    for (const call of running) {
      const people = call.peers.slice(0, FACES).map((peer) => person(view, peer));
      this.#put(keys, `run ${call.call}`, JSON.stringify([call, people]), () => this.#running(call, view));
    }
    for (const [key, { root }] of [...this.#cards]) {
      if (keys.has(key)) continue;
      this.#cards.delete(key);
      root.remove();
    }
    if (rings.some(({ silent }) => !silent)) this.#tone.begin();
    else this.#tone.end();
  }

  close(): void {
    this.#tone.end();
    this.root.remove();
  }

  /** Draws one of them, if it differs from what is there. */
  #put(keys: Set<string>, key: string, looks: string, draw: () => HTMLElement): void {
    keys.add(key);
    const before = this.#cards.get(key);
    if (before?.looks === looks) return;
    const root = draw();
    if (before) before.root.replaceWith(root);
    else this.root.append(root);
    this.#cards.set(key, { root, looks });
  }

  #ring({ call, title, from, video }: View["rings"][number], view: View): HTMLElement {
    const who = person(view, from);
    const answer = (withVideo: boolean) => () => this.#answer(call, withVideo);
    const plain = choice("answer", "Answer", PHONE, "primary", answer(false));
    const seen = choice("answer-video", "Video", CAMERA, "", answer(true));
    set(seen, { "aria-label": "Answer with video", title: "Answer with video" });
    const decline = choice("decline", "Decline", CLOSE, "", () => this.#context.host.command({ do: "decline", call }));
    const where = element("p", { class: "hint" }, video ? "Video call" : "Call");
    if (title) where.append(" · ", element("bdi", { translate: "no" }, title));
    const words = element("div", { class: "words" }, element("h2", {}, name(who.user), trust(who)), where);
    const card = element("section", { class: "call-card", "data-testid": "ring", "data-user": who.user, "aria-label": `${who.user} is calling` }, face(who), words);
    // In a room of one person, the title is their name.
    if (title === who.user) where.lastElementChild?.remove(), where.lastChild?.remove();
    card.append(element("div", { class: "acts" }, decline, ...(view.allowed === "video" ? [seen] : []), plain));
    card.append(element("span", { class: "sr", role: "alert" }, `${who.user} is calling.`));
    return card;
  }

  #running({ call, title, peers }: View["running"][number], view: View): HTMLElement {
    const people = peers.slice(0, FACES).map((peer) => person(view, peer));
    const faces = element("span", { class: "call-faces" }, ...people.map(face));
    const count = peers.length === 1 ? "1 person is in a call" : `${peers.length} people are in a call`;
    const words = element("p", { class: "words" }, count);
    if (title) words.append(" · ", element("bdi", { translate: "no" }, title));
    const join = element("button", { type: "button", class: "primary", "data-testid": "join-call" }, "Join");
    join.onclick = () => this.#answer(call, false);
    return element("section", { class: "call-running", "data-testid": "running-call", "aria-label": count }, faces, words, join);
  }
}

function choice(testId: string, words: string, path: string, look: string, pressed: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: `${look} call-choice`, "data-testid": testId, title: words }, icon(path), element("span", {}, words));
  made.onclick = pressed;
  return made;
}
