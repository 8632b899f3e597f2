// The arithmetic of tiles: how they fill a room, how large their pictures are wanted, and who is in the middle. Nothing here
// touches the page.

/** How tiles are arranged. The sizes are those of one tile, in pixels. */
export interface Arrangement {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** The shapes that a picture of a person is cut to, as width by height. */
const NARROWEST = 4 / 5;
const WIDEST = 16 / 9;

/** Arranges tiles so that they cover as much of the space as they can. Among equals, it has fewer columns. */
export function arrange(count: number, width: number, height: number, gap: number): Arrangement {
  let best: Arrangement = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const [across, down] = [(width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows];
    if (across <= 0 || down <= 0) continue;
    const tile = { width: Math.floor(Math.min(across, down * WIDEST)), height: Math.floor(Math.min(down, across / NARROWEST)) };
    if (tile.width * tile.height > best.width * best.height) best = { columns, rows, ...tile };
  }
  return best;
}

/** Where a tile lies, in pixels from the start and the top. */
export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Places tiles side by side. A last row that is not full stands in the middle. */
export function side(count: number, width: number, height: number, gap: number): Place[] {
  const { columns, rows, ...tile } = arrange(count, width, height, gap);
  const top = (height - rows * tile.height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const start = (width - inRow * tile.width - (inRow - 1) * gap) / 2;
    return { x: Math.floor(start + (index % columns) * (tile.width + gap)), y: Math.floor(top + row * (tile.height + gap)), ...tile };
  });
}

/** Small tiles in lanes, beside a large one or below it. */
interface Lanes {
  isBeside: boolean;
  small: { width: number; height: number };
  /** How many are in a lane, and how many are shown in all. */
  perLane: number;
  shown: number;
  main: { width: number; height: number };
}

/** A second lane may leave the large tile no less than this part of the space. */
const LEAST = 0.6;

function lay(isBeside: boolean, lanes: number, count: number, width: number, height: number, gap: number): Lanes {
  const length = isBeside ? height : width;
  // They are smaller if there are many, down to where a face can still be told.
  const share = (length + gap) / Math.ceil(count / lanes) - gap;
  const each = isBeside ? within(share, 54, Math.max(54, width * 0.13)) : within(share, 60, Math.max(72, height * 0.32));
  const small = isBeside ? { width: Math.round((each * 16) / 9), height: each } : { width: each, height: Math.round((each * 3) / 4) };
  const perLane = Math.max(0, Math.floor((length + gap) / (each + gap)));
  const taken = lanes * ((isBeside ? small.width : small.height) + gap);
  const main = isBeside ? { width: width - taken, height } : { width, height: height - taken };
  return { isBeside, small, perLane, shown: Math.min(count, perLane * lanes), main };
}

/** How large a picture becomes that is wide, in a tile of this size. */
const reach = ({ width, height }: { width: number; height: number }): number => Math.min(width, height * WIDEST);

/** Places one tile over nearly everything, and small ones beside or below it, as many as there is space for. */
export function around(main: number, count: number, width: number, height: number, gap: number): (Place | undefined)[] {
  if (count === 1) return [{ x: 0, y: 0, width, height }];
  const all = [true, false].flatMap((isBeside) => [1, 2].map((lanes) => ({ lanes, ...lay(isBeside, lanes, count - 1, width, height, gap) })));
  const possible = all.filter((one) => one.lanes === 1 || (one.main.width >= width * LEAST && one.main.height >= height * LEAST));
  // First that everybody is seen, then that the one in the middle is large, and then that the others are.
  const better = (one: Lanes, other: Lanes) => other.shown - one.shown || reach(other.main) - reach(one.main) || other.small.width - one.small.width;
  const best = possible.reduce((one, other) => (better(one, other) > 0 ? other : one));
  const { isBeside, small, shown } = best;
  const perLane = Math.max(1, Math.min(best.perLane, Math.ceil(shown / best.lanes)));
  const length = isBeside ? height : width;
  const each = isBeside ? small.height : small.width;
  let seen = 0;
  return Array.from({ length: count }, (_, index) => {
    if (index === main) return { x: 0, y: 0, ...best.main };
    if (seen >= shown) return undefined;
    const lane = Math.floor(seen / perLane);
    const start = Math.max(0, (length - perLane * each - (perLane - 1) * gap) / 2);
    const along = Math.floor(start + (seen++ % perLane) * (each + gap));
    if (isBeside) return { x: best.main.width + gap + lane * (small.width + gap), y: along, ...small };
    return { x: along, y: best.main.height + gap + lane * (small.height + gap), ...small };
  });
}

const within = (value: number, least: number, most: number): number => Math.floor(Math.min(most, Math.max(least, value)));

/** The heights in which pictures are asked for. Only screens come in the last one, because they have small letters. */
const STEPS = [90, 180, 360, 720, 1080];
/** A picture may be drawn so much larger than it is. */
const STRETCH = 1.25;

/** The height that is asked for a tile with so many pixels of the screen; 0 if it is not seen. */
export function wanted(pixels: number, kind: "camera" | "screen"): number {
  if (pixels <= 0) return 0;
  const steps = kind === "screen" ? STEPS : STEPS.slice(0, -1);
  return steps.find((step) => step * STRETCH >= pixels) ?? steps.at(-1)!;
}

/** How many times a picture of this height is made smaller, so that it is no higher than `most`. */
export const shrink = (height: number, most: number): number => (most > 0 && height > most ? height / most : 1);

/** From this level on, of at most 1, somebody speaks. */
export const SPEAKS = 0.02;
/** So long, in milliseconds, the one who speaks keeps the middle, so that a cough takes it from nobody. */
const KEEPS = 2_000;

/** Who is in the middle. */
export class Spotlight {
  #who: string | undefined;
  #heard = -Infinity;

  /** Takes how loud everybody is, and returns who is in the middle now. */
  next(levels: Map<string, number>, now: number): string | undefined {
    if (this.#who !== undefined && !levels.has(this.#who)) this.#who = undefined;
    let loudest: string | undefined;
    for (const [who, level] of levels) {
      if (level >= SPEAKS && level > (loudest === undefined ? 0 : levels.get(loudest)!)) loudest = who;
    }
    const own = this.#who === undefined ? 0 : levels.get(this.#who)!;
    if (own >= SPEAKS) this.#heard = now;
    if (loudest !== undefined && (this.#who === undefined || now - this.#heard >= KEEPS)) {
      this.#who = loudest;
      this.#heard = now;
    }
    return this.#who;
  }
}

/** A length of time as a clock shows it: `4:05`, `1:04:05`. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
