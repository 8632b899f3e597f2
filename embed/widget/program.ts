// Starts the program once for all chats of a page.

import type { Files, Glue, Mounted, Panel } from "./contract.ts";
import { NativePromise, Problem } from "./load.ts";
import { json } from "./options.ts";

export interface Program {
  mount: Glue["mount"];
  knowsName: Glue["knowsName"];
  /** The functions to call when the program breaks. */
  broken: Set<() => void>;
}

let loadingPanel: Promise<Panel> | undefined;
let styles: CSSStyleSheet | undefined;
let text: string | undefined;

/** Returns what the panel needs before the program is there. If loading it failed, the next call tries again. */
export function panel(files: Files): Promise<Panel> {
  const load = async () => {
    try {
      const panel = await files.panel();
      text = panel.styles;
      return panel;
    } catch (error) {
      loadingPanel = undefined;
      throw error;
    }
  };
  return (loadingPanel ??= load());
}

/** Returns the program's styles, if they are loaded. They are parsed at the first call, when there is something to see. */
export function panelStyles(): CSSStyleSheet | undefined {
  if (!styles && text !== undefined) {
    styles = new CSSStyleSheet();
    styles.replaceSync(text);
  }
  return styles;
}

async function load(files: Files): Promise<Program> {
  if (typeof WebAssembly !== "object") {
    throw new Problem("The chat needs WebAssembly, which this browser does not have or does not allow. Please try a current browser.");
  }
  const [glue, wasm] = await NativePromise.all([files.glue(), files.wasm(), panel(files)]);
  try {
    await glue.default({ module_or_path: wasm });
  } catch (error) {
    console.warn("rtchat:", error);
    throw new Problem(
      error instanceof WebAssembly.CompileError
        ? "This page does not let WebAssembly run, which the chat needs (Content-Security-Policy, script-src 'wasm-unsafe-eval')."
        : "The chat could not start. Please try a current browser.",
    );
  }
  void glue.loadRestFrom(...files.rest);
  const broken = new Set<() => void>();
  glue.whenBroken(() => {
    stopped = true;
    broken.forEach((listener) => listener());
  });
  return { mount: glue.mount, knowsName: glue.knowsName, broken };
}

/** What people read when the program broke. */
export const BROKEN = "The chat stopped working. Reload the page to come back.";

let loading: Promise<Program> | undefined;
let stopped = false;

/** Returns the program. If loading it failed, the next call tries again. */
export async function program(files: Files): Promise<Program> {
  if (stopped) throw new Problem(BROKEN);
  loading ??= load(files);
  try {
    return await loading;
  } catch (error) {
    loading = undefined;
    throw error;
  }
}

/** Tells the person if the page's policy blocked a connection to one of these brokers. */
export function reportBlockedBroker({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent, brokers: unknown, chat: Mounted): void {
  if (!/^wss?:/.test(blockedURI) || effectiveDirective !== "connect-src") return;
  const { host } = new URL(blockedURI);
  if (brokers && !json(brokers).includes(host)) return;
  chat.notice(`This page does not let the chat connect to ${host}, where people meet (Content-Security-Policy, connect-src).`);
}
