// Icons as the page has them: strokes on a grid of 20 by 20, in the colour of the text around them.

export const CAMERA = "M2.5 6h10v8.5h-10zM12.5 9.5l5-3v7.5l-5-3";
export const CHECK = "M4 10.5l4 4 8-9";
export const CLOSE = "M5 5l10 10M15 5L5 15";
export const EYE = "M2 10c2-3.5 4.7-5 8-5s6 1.5 8 5c-2 3.5-4.7 5-8 5s-6-1.5-8-5zM10 7.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z";
export const HAND = "M6 11V5.7a1.2 1.2 0 012.4 0V9.5M8.4 9V3.8a1.2 1.2 0 012.4 0V9M10.8 9V4.8a1.2 1.2 0 012.4 0V10M13.2 10V7a1.2 1.2 0 012.4 0v5c0 3.5-2 5.5-5 5.5-2.5 0-3.8-1-5-3l-2-3.3c-.7-1.4.9-2.3 1.8-1.2l.6.8";
export const LARGER = "M8 4H4v4M12 16h4v-4M4.5 4.5l4 4M15.5 15.5l-4-4";
export const LEAVE = "M2.5 12.3c0-2.1 3.3-4 7.5-4s7.5 1.9 7.5 4v1.4c0 .5-.5.9-1 .8l-2.7-.6c-.4-.1-.7-.4-.7-.8v-1.7c-2-.6-4.2-.6-6.2 0v1.7c0 .4-.3.7-.7.8l-2.7.6c-.5.1-1-.3-1-.8z";
export const MICROPHONE = "M10 2.5A2.5 2.5 0 007.5 5v5a2.5 2.5 0 005 0V5A2.5 2.5 0 0010 2.5zM4.5 9.5a5.5 5.5 0 0011 0M10 15v2.8";
export const MORE = "M5 10h.01M10 10h.01M15 10h.01";
export const PHONE = "M4.2 3h2.6l1.6 4-2 1.5a10.5 10.5 0 005.1 5.1l1.5-2 4 1.6v2.6c0 .7-.5 1.2-1.2 1.2C9 17 3 11 3 4.2 3 3.5 3.5 3 4.2 3z";
export const PIN = "M7 3h6l-.8 5 2.8 3H5l2.8-3zM10 11v6";
export const SCREEN = "M2.5 4h15v10h-15zM7 17h6M10 11V7M8 8.8l2-2 2 2";
export const SHIELD = "M10 2.5l6 2v5c0 4-2.5 6.5-6 8-3.5-1.5-6-4-6-8v-5zM7 10l2.2 2.2L13 8";
export const SMALLER = "M4.5 9H9V4.5M15.5 11H11v4.5M9 9L4 4M11 11l5 5";
export const SPEAKER = "M3 8h3l4-3v10l-4-3H3zM13 7.5a4 4 0 010 5M15 5a7 7 0 010 10";
export const WARNING = "M10 3l8 14H2zM10 8v4M10 14.3v.4";
const STRIKE = "M3.5 3.5l13 13";

/** An icon. Screen readers skip it, because a text stands beside it. One that can be off has a line through it then. */
export function icon(path: string, canBeOff = false): SVGElement {
  const make = (tag: string, attributes: Record<string, string>): SVGElement => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag) as SVGElement;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const svg = make("svg", { class: "i", viewBox: "0 0 20 20", "aria-hidden": "true" });
  svg.append(make("path", { d: path }));
  if (canBeOff) svg.append(make("path", { d: STRIKE, class: "gap" }), make("path", { d: STRIKE, class: "strike" }));
  return svg;
}
