// Which pictures are looked at, and how large: the other side sends no more than that.

import type { Host } from "./contract.ts";
import { wanted } from "./grid.ts";
import type { Tile } from "./tile.ts";

interface Heights {
  camera: number;
  screen: number;
}

export class Wants {
  readonly #host: Host;
  readonly #said = new Map<string, Heights>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Says what has changed. */
  update(peers: Iterable<string>, tiles: Iterable<Tile>): void {
    const now = new Map<string, Heights>();
    for (const peer of peers) now.set(peer, { camera: 0, screen: 0 });
    for (const tile of tiles) {
      const heights = now.get(tile.peer);
      if (heights) heights[tile.kind] = Math.max(heights[tile.kind], wanted(tile.pixels, tile.kind));
    }
    for (const [peer, heights] of now) {
      const before = this.#said.get(peer);
      if (before?.camera === heights.camera && before.screen === heights.screen) continue;
      this.#said.set(peer, heights);
      this.#host.command({ do: "want", peer, ...heights });
    }
    for (const peer of [...this.#said.keys()]) if (!now.has(peer)) this.#said.delete(peer);
  }
}
