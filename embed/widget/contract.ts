// The interfaces between <rt-chat>, its view and the program, which are loaded separately and do not import each other.

import type { Request } from "../assist/assist.ts";
import type { RTChatElement } from "../rtchat.d.ts";

/** The element, as its view sees it. */
export interface Host extends HTMLElement {
  readonly launcher: boolean;
  status: RTChatElement["status"];
  unread: number;
  mentioned: boolean;
  unreadIn: Record<string, number>;
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
  /** Opens the panel, and this conversation as soon as there is a chat; an empty one is whichever is open. */
  show(conversation: string): void;
  /** Says something as the reader. Returns false if they are not in the room. */
  say(text: string, conversation: string | undefined): boolean;
  /** Applies the theme, the corner and the language. */
  applyAppearance(): void;
}

/** Makes the view of an element. */
export type Attach = (element: Host) => View;

/** A mounted chat; see src/main.rs. */
export interface Mounted {
  unmount(): void;
  show(shown: boolean): void;
  open(conversation: string): void;
  say(text: string, conversation: string | undefined): boolean;
  notice(text: string): void;
}

export type ChatListener = (kind: string, details: Record<string, unknown>) => void;

/** The JavaScript that wasm-bindgen writes for the program. */
export interface Glue {
  default(options: { module_or_path: Response }): Promise<unknown>;
  /** Whether a name is stored in this browser. */
  knowsName(): boolean;
  /** Calls `listener` when the program breaks. Nothing may call it from then on. */
  whenBroken(listener: (error: unknown) => void): void;
  mount(
    root: Element,
    options: { page: string; settings: string; name?: string; assist: Assist; media: () => Promise<unknown>; calls: () => Promise<unknown>; store: () => Promise<unknown>; archive: () => Promise<unknown> },
    listener: ChatListener,
  ): Mounted;
}

/** Does what the views ask for once somebody writes; see `embed/assist/assist.ts`. */
export type Assist = (...request: Request) => Promise<string | undefined>;

/** The module that is loaded for it. */
export interface AssistModule {
  assist(fetchTable: () => Promise<Response>, ...request: Request): Promise<string | undefined>;
}

/** An element of `index.html`: its tag, its attributes, and what is in it. */
export type Tree = [tag: string, attributes: Record<string, string>, ...children: (Tree | string)[]];

/** What the panel needs before the program is there. `xtask/src/early.rs` takes the elements from `index.html`. */
export interface Panel {
  styles: string;
  /** The welcome, and the frame of the room for whoever has a name. */
  welcome: Tree;
  room: Tree;
}

/** The files of the program, from wherever they come. */
export interface Files {
  glue(): Promise<Glue>;
  /** What shows pictures and players: embed/media. */
  media(): Promise<unknown>;
  /** What shows calls: embed/calls. */
  calls(): Promise<unknown>;
  /** What keeps what is said: embed/store. */
  store(): Promise<unknown>;
  /** What writes files of what was said: embed/archive. */
  archive(): Promise<unknown>;
  wasm(): Promise<Response>;
  panel(): Promise<Panel>;
  /** Loads what only some need, when they need it. */
  assist: Assist;
  /** The address of the `rtchat.json` that is read if the option `config` names none. */
  settings?: string;
}
