// The public interface of `rtchat/widget`, the module for programs that a bundler puts together.

import type { RTChatGlobal } from "./rtchat.js";

export type * from "./rtchat.js";

/** The same as `window.RTChat`. */
export declare const RTChat: RTChatGlobal;
