// What <rt-chat> and what it shows promise each other. They are loaded apart, and neither knows the other.

import type { RTChatElement } from "../rtchat.d.ts";
import type { Origin } from "./load.ts";

/** The element, as its view knows it. */
export interface Host extends HTMLElement {
  readonly launcher: boolean;
  status: RTChatElement["status"];
  unread: number;
  people: number;
}

/** What the element shows. */
export interface View {
  /** Begins; if it has begun already, only with other options. */
  begin(anew?: boolean): void;
  /** Leaves, and frees everything. */
  end(): void;
  /** The page opens or closes the panel. */
  open(open: boolean): void;
  /** Theme, corner or language changed. */
  dress(): void;
}

/** Exported by the view's file. */
export type Attach = (element: Host, origin: Origin) => View;
