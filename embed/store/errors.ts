// Why something was not kept, or could not be read. A chat goes on without it.

const SENTENCES = {
  /** The browser or its user forbids databases. */
  denied:
    "This browser does not let the page keep what is said, as in some private windows, where cookies are blocked, or in a frame of another site. You can chat, and what is said is gone when you close this tab.",
  /** The browser gives the site no more space. */
  full: "This browser has no room left to keep what is said. Delete old conversations, or make room on this device.",
  /** The database cannot be read. */
  broken: "This browser cannot read what was kept here any more. If that stays so after a restart, delete what was kept.",
  /** The database was written by a newer version of the page than this one. */
  newer: "What was kept in this browser was written by a newer version of this page. Reload the page to read it.",
  /** Another tab, with a newer version of the page, or the browser has closed the database. */
  closed:
    "This tab has lost its access to what is kept, because a newer version of this page is open in another tab, or because the browser took it away. Reload the page to go on.",
  /** The browser did not answer in time. */
  silent: "This browser does not answer when the page asks for what was kept. You can chat; reload the page to try again.",
  /** The browser cannot tell whether a tab is open, or cannot list databases, so that nothing would ever be deleted. */
  sessionless:
    "This browser cannot keep what is said for the time of one tab only: it is too old, or this page was loaded without HTTPS. So what is said is gone when you reload the page.",
  /** Anything else. The browser's console has its words. */
  other: "This browser failed to keep or to read what is said. You can chat; reload the page to try again.",
};

export type Reason = keyof typeof SENTENCES;

/** An error whose message is a sentence for the person. */
export class StoreError extends Error {
  constructor(readonly reason: Reason) {
    super(SENTENCES[reason]);
  }
}

/** The meaning of a browser's errors, by their names. */
const REASONS: Record<string, Reason> = {
  SecurityError: "denied",
  NotAllowedError: "denied",
  // Old versions of Firefox say so in private windows.
  InvalidStateError: "denied",
  VersionError: "newer",
  // A request was under way when the database was closed.
  AbortError: "closed",
  UnknownError: "broken",
  NotFoundError: "broken",
  NotReadableError: "broken",
};

/** What a browser's error means that has this name. */
export const reasonOf = (name: string): Reason =>
  // Old versions of Firefox have names of their own for `QuotaExceededError`.
  (Object.hasOwn(REASONS, name) && REASONS[name]) || (/quota/i.test(name) ? "full" : "other");

/** The error that was thrown, or the one that it means. */
export function problem(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const reason = reasonOf(String((thrown as Error | null | undefined)?.name));
  if (reason === "other") console.warn(thrown);
  return new StoreError(reason);
}
