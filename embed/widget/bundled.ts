// What `rtchat/widget` loads when a page has a chat: the view. The bundler says where the files are. There is no rtchat.json
// beside them, and many sites of such programs answer every address with a page, so it is read only if `config` names it.

import type { Attach, Files, Panel } from "./contract.ts";
import { get, plain } from "./load.ts";
import { ChatView } from "./view.ts";

declare const WASM_FILE: string;
declare const PANEL: Panel;
declare const EMOJI_FILE: string;

const files: Files = {
  glue: () => import("rtchat-program"),
  media: () => import("../media/media.ts"),
  calls: () => import("../calls/calls.ts"),
  store: () => import("../store/store.ts"),
  archive: () => import("../archive/archive.ts"),
  // Bundlers recognise this expression, and include the file.
  wasm: () => get(plain(new URL(WASM_FILE, import.meta.url))),
  panel: async () => PANEL,
  assist: async (...request) => {
    const { assist } = await import("../assist/assist.ts");
    return assist(() => get(plain(new URL(EMOJI_FILE, import.meta.url))), ...request);
  },
};

export const attach: Attach = (element) => new ChatView(element, files);
