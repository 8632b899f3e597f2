// `rtchat/widget` of the npm package, for programs that a bundler puts together. The program adds the bubble by itself.

import type { RTChatGlobal } from "../rtchat.d.ts";
import { define } from "./define.ts";
import { notLoaded } from "./load.ts";

define(async () => {
  const { attach } = await import("./bundled.ts").catch(() => {
    throw notLoaded(location.host, "script-src");
  });
  return attach;
});

export const RTChat: RTChatGlobal = window.RTChat;
