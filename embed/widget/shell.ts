// The elements around the chat. They are created one by one, because Trusted Types forbids markup.

export interface Shell {
  frame: HTMLElement;
  launcher: HTMLButtonElement;
  unread: HTMLElement;
  people: HTMLElement;
  peopleNumber: HTMLElement;
  announcer: HTMLElement;
  panel: HTMLElement;
  larger: HTMLButtonElement;
  close: HTMLButtonElement;
  sorry: HTMLElement;
  sentence: HTMLElement;
  again: HTMLButtonElement;
}

const CLOSE = "M5 5l10 10M15 5L5 15";
const LARGER = "M8 4H4v4M12 16h4v-4M4.5 4.500l4 4M15.5 15.500l-4-4";
const SMALLER = "M4.5 9H9V4.500M15.5 11H11v4.500M9 9L4 4M11 11l5 5";
const PEOPLE = "M10 3.500a3.5 3.5 0 100 7 3.5 3.5 0 000-7zM3 18c0-3.5 2.5-5 7-5s7 1.5 7 5";
const BUBBLE = "M16 3C8.3 3 2 8.2 2 14.700c0 3.7 2 6.9 5.2 9.100L6 29l6.3-3.200c1.2.3 2.4.4 3.7.4 7.7 0 14-5.2 14-11.500S23.7 3 16 3z";

function create<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Record<string, string>, ...children: Node[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function icon(look: string, size: number, ...paths: [string, string?][]): SVGElement {
  const make = (tag: string, attributes: Record<string, string>) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element as SVGElement;
  };
  const svg = make("svg", { class: look, viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true" });
  svg.append(...paths.map(([d, look]) => make("path", { d, class: look ?? "" })));
  return svg;
}

export function build(): Shell {
  const unread = create("span", { class: "badge unread", part: "unread", "data-testid": "launcher-unread", "aria-hidden": "true" });
  const peopleNumber = create("span", {});
  const people = create("span", { class: "badge people-count", part: "people-count", "data-testid": "launcher-people", "aria-hidden": "true" }, icon("", 20, [PEOPLE]), peopleNumber);
  const chat = icon("chat-sign", 32, [BUBBLE, "bubble-sign"], ["M11 14.500h10", "ink"], ["M11 14.500h.01M21 14.500h.01", "ink dots"]);
  const launcher = create(
    "button", { class: "launcher", part: "launcher", type: "button", "data-testid": "launcher", "aria-controls": "panel" },
    chat, icon("close-sign", 20, [CLOSE]), people, unread,
  );
  const larger = create("button", { class: "larger", type: "button", "data-testid": "larger", "aria-label": "Full window", title: "Full window", "aria-pressed": "false" }, icon("larger-sign", 20, [LARGER]), icon("smaller-sign", 20, [SMALLER]));
  const close = create("button", { type: "button", "data-testid": "close-panel", "aria-label": "Close the chat", title: "Close (Esc)" }, icon("", 20, [CLOSE]));
  const sentence = create("p", {});
  const again = create("button", { class: "again", type: "button", "data-testid": "again" }, document.createTextNode("Try again"));
  const sorry = create("div", { class: "sorry", part: "problem", role: "alert", "data-testid": "sorry", hidden: "" }, create("div", {}, sentence, again));
  const panel = create(
    "section", { class: "panel", part: "panel", id: "panel", "aria-label": "Chat", tabindex: "-1", "data-testid": "panel" },
    create("div", { class: "tools", part: "tools" }, larger, close), sorry,
  );
  const announcer = create("div", { class: "announcer", role: "status" });
  const frame = create("div", { class: "frame" }, launcher, panel, announcer);
  return { frame, launcher, unread, people, peopleNumber, announcer, panel, larger, close, sorry, sentence, again };
}
