// The emoji that somebody used last, kept in the browser.

const KEY = "rtchat/1/emoji";
const KEPT = 24;

/** Reads them, the latest first. What others wrote there is not trusted. */
export function recent(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((emoji) => typeof emoji === "string").slice(0, KEPT) : [];
  } catch {
    // Storage is blocked, or has something else in it.
    return [];
  }
}

/** Remembers that this one was used. */
export function use(emoji: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([emoji, ...recent().filter((other) => other !== emoji)].slice(0, KEPT)));
  } catch {
    // Then nothing is remembered.
  }
}
