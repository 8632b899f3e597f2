// Loads a module of this build from the folder of rtchat.js.

/** A file of this build and its hash. `cargo xtask build` writes them. */
export interface Asset {
  file: string;
  integrity: string;
}

/** An error whose message is a sentence for the person. */
export class Problem extends Error {}

/** The address of rtchat.js, and the nonce of its script element. */
export interface Origin {
  base: string;
  nonce: string;
}
export const origin: Origin = { base: "", nonce: "" };

/** The browser's own `Promise`, which every asynchronous function returns. The page may have replaced the global one. */
export const NativePromise = (async () => {})().constructor as PromiseConstructor;

/** Imports a module after its hash was checked. (A script element could check it as well, but Trusted Types forbids that.) */
export async function module<Exports>({ file, integrity }: Asset, { base, nonce }: Origin): Promise<Exports> {
  const { href, host } = new URL(file, base);
  const link = document.createElement("link");
  try {
    await new NativePromise((onload, onerror) => {
      Object.assign(link, { onload, onerror, rel: "modulepreload", crossOrigin: "", integrity, nonce, href });
      document.head.append(link);
    });
    return await import(href);
  } catch {
    throw new Problem(
      `The chat could not be loaded from ${host}. The connection may be down, or this page does not allow it (Content-Security-Policy, script-src).`,
    );
  } finally {
    link.remove();
  }
}
