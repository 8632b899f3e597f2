// Pictures, players and saving, for the program: loaded when somebody attaches, shows or saves a file.

import { fits, sniff } from "./sniff.ts";
import { type Prepared, prepare } from "./prepare.ts";

export { prepare };
export type { Prepared };

/** What a file is, by its bytes. */
export interface Shown {
  kind: "picture" | "audio" | "video";
  /** Its address, for an element of that kind. It holds the bytes until `release`. */
  address: string;
  width: number;
  height: number;
}

/**
 * Returns how to show a received file; nothing if it is only to be saved. What counts are its bytes, and not what its sender
 * says of them: only formats that contain no script get an address.
 */
export async function show(blob: Blob): Promise<Shown | undefined> {
  const format = await sniff(blob);
  if (!format || (format.kind === "picture" && !fits(format))) return undefined;
  const { kind, type, width, height } = format;
  return { kind, address: URL.createObjectURL(blob.slice(0, blob.size, type)), width, height };
}

/** Frees what `show` returned. */
export function release(address: string): void {
  URL.revokeObjectURL(address);
}

/** Saves a file under this name. To the browser it is nothing that could be opened. */
export function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob.slice(0, blob.size, "application/octet-stream"));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  // Browsers read the address after the click.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Shows a picture over everything, until it is closed. The focus returns to `opener`. */
export function view(address: string, name: string, opener: HTMLElement): void {
  const make = <Tag extends keyof HTMLElementTagNameMap>(tag: Tag, properties: Partial<HTMLElementTagNameMap[Tag]>): HTMLElementTagNameMap[Tag] =>
    Object.assign(document.createElement(tag), properties);
  const dialog = make("dialog", { className: "viewer", ariaLabel: name });
  dialog.dataset.testid = "viewer";
  const picture = make("img", { src: address, alt: name });
  const frame = make("button", { type: "button", className: "frame", title: "Actual size", ariaLabel: "Actual size", ariaPressed: "false" });
  frame.append(picture);
  frame.onclick = () => {
    const full = dialog.toggleAttribute("data-full");
    frame.ariaPressed = String(full);
  };
  const title = make("p", { textContent: name, dir: "auto", translate: false });
  const apart = make("a", { href: address, target: "_blank", rel: "noopener", textContent: "Open in a tab" });
  apart.dataset.testid = "viewer-open";
  const close = make("button", { type: "button", textContent: "Close" });
  close.dataset.testid = "viewer-close";
  close.onclick = () => dialog.close();
  const bar = make("header", {});
  bar.append(title, apart, close);
  dialog.append(bar, frame);
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  // Escape belongs to the dialog, and closes nothing around it.
  dialog.onkeydown = (event) => {
    if (event.key === "Escape") event.stopPropagation();
  };
  dialog.onclose = () => {
    dialog.remove();
    opener.focus();
  };
  (opener.closest(".rt") ?? document.body).append(dialog);
  dialog.showModal();
  close.focus();
}
