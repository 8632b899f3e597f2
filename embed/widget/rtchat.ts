// rtchat.js, the file of the script tag. With ?add it adds the bubble.
//
// The same file works as a classic script and as a module, so it cannot use `import.meta`. A module finds its address in a
// stack trace.

import type { Host, View } from "./contract.ts";
import { addFor, define, warn } from "./define.ts";
import { type Asset, type Origin, module, plain } from "./load.ts";
import { type Source, dashed, query, resolve } from "./options.ts";

declare const VIEW: Asset;

/** The element of this script, if there is one, and its address. */
function ownScript(): { tag: HTMLScriptElement | null; url: URL } {
  const current = document.currentScript as HTMLScriptElement | null;
  if (current?.src) return { tag: current, url: plain(current.src) };
  const scripts = [...document.querySelectorAll<HTMLScriptElement>("script[src]")];
  const traced = /(?:https?|file):\/\/[^\s()]+?(?=:\d+:\d+)/.exec(new Error().stack ?? "")?.[0];
  const tag = scripts.find((script) => script.src.split("#")[0] === traced) ?? (traced ? null : scripts.find((script) => /\brtchat\.js\b/.test(script.src)));
  return { tag: tag ?? null, url: plain(traced ?? tag?.src ?? document.baseURI) };
}

function start(): void {
  const { tag, url } = ownScript();
  const { add: wanted, source } = query(url.searchParams);
  const origin: Origin = { base: url.href, nonce: tag?.nonce ?? "" };
  define(async () => {
    const { attach } = await module<{ attach(element: Host, origin: Origin): View }>(VIEW, origin);
    return (element) => attach(element, origin);
  });
  if (wanted) {
    const attributes: Source = { values: { ...tag?.dataset }, called: (option) => `data-${dashed(option)}` };
    addFor(tag, resolve([attributes, source], warn));
  }
}

try {
  start();
} catch (error) {
  // Whatever the error is, the page works on without a chat.
  console.warn("rtchat:", error);
}
