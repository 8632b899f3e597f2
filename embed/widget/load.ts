// Fetches a module of this build from where rtchat.js lies.

/** A file of this build, with the hash that it must have. Written by `cargo xtask build`. */
export interface Asset {
  file: string;
  integrity: string;
}

/** A sentence for the person. */
export class Problem extends Error {}

/** Where rtchat.js lies, and the nonce it was allowed with. */
export interface Origin {
  base: string;
  nonce: string;
}
export const origin: Origin = { base: "", nonce: "" };

/** A module that is what it should be: its hash is checked before it runs. (A script element would do so as well, but is forbidden by Trusted Types.) */
export async function module<Exports>({ file, integrity }: Asset, { base, nonce }: Origin): Promise<Exports> {
  const { href, host } = new URL(file, base);
  const link = document.createElement("link");
  try {
    await new Promise((onload, onerror) => {
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
