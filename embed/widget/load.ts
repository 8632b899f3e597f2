// Loads files, and says so in a sentence if that fails.

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

/** The browser's own `Promise`, which every asynchronous function returns. The page may have replaced the global one. */
export const NativePromise = (async () => {})().constructor as PromiseConstructor;

/** The problem that a file of this host cannot be loaded, perhaps because of this directive. */
export const notLoaded = (host: string, directive: string): Problem =>
  new Problem(`The chat could not be loaded from ${host}. The connection may be down, or this page does not allow it (Content-Security-Policy, ${directive}).`);

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
    throw notLoaded(host, "script-src");
  } finally {
    link.remove();
  }
}

/** This address without the name and the password that it may contain: nobody may fetch it with those. */
export const plain = (address: string | URL, base: string = document.baseURI): URL => Object.assign(new URL(address, base), { username: "", password: "" });

/** Returns a function that loads something once. If that failed, the next call tries again. */
export function once<Loaded>(load: () => Promise<Loaded>): () => Promise<Loaded> {
  let loading: Promise<Loaded> | undefined;
  const attempt = async () => {
    try {
      return await load();
    } catch (error) {
      loading = undefined;
      throw error;
    }
  };
  return () => (loading ??= attempt());
}

/** Fetches a file, and checks its hash if there is one. */
export async function get(url: URL, options: RequestInit = {}): Promise<Response> {
  try {
    const answer = await fetch(url, options);
    if (answer.ok) return answer;
  } catch {
    // The error below covers this case as well.
  }
  throw notLoaded(url.host, "connect-src");
}
