// What rtchat.js loads when a page has a chat: the view. All files are beside rtchat.js, and their hashes are checked.

import type { AssistModule, Files, Host, View } from "./contract.ts";
import { type Asset, type Origin, get, module, once } from "./load.ts";
import { ChatView } from "./view.ts";

declare const GLUE: Asset;
declare const WASM: Asset;
declare const MEDIA: Asset;
declare const CALLS: Asset;
declare const STORE: Asset;
declare const ARCHIVE: Asset;
declare const PANEL: Asset;
declare const ASSIST: Asset;
declare const EMOJI: Asset;

export function attach(element: Host, origin: Origin): View {
  const fetched = ({ file, integrity }: Asset) => get(new URL(file, origin.base), { integrity });
  const loadAssist = once(() => module<AssistModule>(ASSIST, origin));
  const files: Files = {
    glue: () => module(GLUE, origin),
    media: () => module(MEDIA, origin),
    calls: () => module(CALLS, origin),
    store: () => module(STORE, origin),
    archive: () => module(ARCHIVE, origin),
    wasm: () => fetched(WASM),
    panel: async () => (await fetched(PANEL)).json(),
    assist: async (...request) => (await loadAssist()).assist(() => fetched(EMOJI), ...request),
    settings: new URL("rtchat.json", origin.base).href,
  };
  return new ChatView(element, files);
}
