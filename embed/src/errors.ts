import type { ErrorCode } from "../mqtt-rtc.js";

/** What promises are rejected with. */
export class RTChatError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = "RTChatError";
    this.code = code;
  }
}

/** Anything that was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
