import type { ErrorCode } from "../mqtt-rtc.js";

/** The error that promises are rejected with. */
export class RTChatError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = "RTChatError";
    this.code = code;
  }
}

/** Turns a thrown value of any type into an error. */
export function asError(thrown: unknown): Error {
  // Every frame has its own `Error` class.
  const isError = thrown instanceof Error || tagOf(thrown) === "Error";
  return isError ? (thrown as Error) : new Error(String(thrown));
}

/** The name of a built-in class, whichever frame the value is from. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
