// The bytes of files beside messages that are in memory. A file that was stored is no longer held here, and is read again when
// somebody wants it.

import type { Bytes } from "./keys.ts";

/** The collected parts are joined into one blob, which the browser can move to its disk, once they have this many bytes. */
const GATHERED = 4 << 20;

/** A file that is coming, which stores its bytes as the adapter of the file channel wants it. */
class Incoming {
  private parts: BlobPart[] = [];
  /** The number of bytes at the end that are not in a blob yet. */
  private loose = 0;

  // The buffers are not given back, because a blob need not have copied them.
  async write(bytes: Bytes): Promise<void> {
    this.parts.push(bytes);
    this.loose += bytes.length;
    if (this.loose >= GATHERED) this.gather();
  }

  async close(): Promise<void> {}

  /** Makes one blob of all parts. If the browser has no memory for that, the parts stay. */
  gather(): Blob | undefined {
    try {
      const blob = new Blob(this.parts);
      [this.parts, this.loose] = [[blob], 0];
      return blob;
    } catch {
      return undefined;
    }
  }
}

export class Blobs {
  /** Files that were prepared to be sent, and whose messages are not sent yet. */
  private readonly prepared = new Map<string, Blob>();
  /** Files that are in memory and not in the store. */
  private readonly held = new Map<string, Blob>();
  private readonly incoming = new Map<number, Incoming>();

  /** Keeps what is about to be sent until it is said. */
  prepare(key: Bytes, blob: Blob): void {
    this.prepared.set(String(key), blob);
  }

  /** Forgets what is not sent after all; what was said with the same file beside it is not concerned. */
  dropPrepared(key: Bytes): void {
    this.prepared.delete(String(key));
  }

  /** This file is being said. */
  say(key: Bytes): void {
    const blob = this.prepared.get(String(key));
    if (!blob) return;
    this.prepared.delete(String(key));
    this.hold(key, blob);
  }

  get(key: Bytes): Blob | undefined {
    return this.held.get(String(key));
  }

  hold(key: Bytes, blob: Blob): void {
    this.held.set(String(key), blob);
  }

  release(key: Bytes): void {
    this.held.delete(String(key));
  }

  /** Collects an incoming file. */
  collect(file: number): Incoming {
    const incoming = new Incoming();
    this.incoming.set(file, incoming);
    return incoming;
  }

  /** Turns the collected parts into the file with this key. */
  finish(file: number, key: Bytes): void {
    const blob = this.incoming.get(file)?.gather();
    this.incoming.delete(file);
    if (blob) this.hold(key, blob);
  }

  /** Forgets what was collected. */
  discard(file: number): void {
    this.incoming.delete(file);
  }
}
