// The interfaces between <rt-chat> and its view, which are loaded separately and do not import each other.

import type { RTChatElement } from "../rtchat.d.ts";
import type { Origin } from "./load.ts";

/** The element, as its view sees it. */
export interface Host extends HTMLElement {
  readonly launcher: boolean;
  status: RTChatElement["status"];
  unread: number;
  people: number;
}

/** The view of the element. */
export interface View {
  /** Starts the chat. If it is running already, `restart` starts it again with the current options. */
  begin(restart?: boolean): void;
  /** Leaves the room and frees everything. */
  end(): void;
  /** Opens or closes the panel, because the page asked for it. */
  open(open: boolean): void;
  /** Applies the theme, the corner and the language. */
  applyAppearance(): void;
}

/** The function that the view's file exports. */
export type Attach = (element: Host, origin: Origin) => View;
