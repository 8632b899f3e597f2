// The client, as its calls see it.
import type { Adapter, Command, View } from "../calls/contract.ts";
import type * as api from "../mqtt-rtc.js";
import type { Handlers } from "./events.js";
import type { Member } from "./peer.js";

/** What calls need of their client. */
export interface CallHost {
  readonly handlers: Handlers;
  /** Somebody who is here. */
  member(id: string): Member | undefined;
  /** One of the tabs of a person who is here. */
  withKey(key: string): Member | undefined;
  /** Moves media with this, in this room and in later ones. */
  provide(adapter: Adapter): void;
  /** @throws RTChatError with the code `refused`. */
  command(command: Command): void;
  /** How it stands. */
  view(): View;
  error(code: api.ErrorCode, sentence: string): Error;
}
