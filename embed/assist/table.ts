// The table of emoji, which xtask/src/emoji.rs writes: groups of lines.

export interface Emoji {
  emoji: string;
  /** What it shows. */
  description: string;
  /** Its shortcodes, without colons. */
  codes: string[];
  /** Everything that finds it, folded. */
  words: string;
}

export interface Group {
  name: string;
  emoji: Emoji[];
}

/** Folds case and marks over letters: `José` is found by `jose`. */
export const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}+/gu, "").toLowerCase();

export class Table {
  readonly groups: Group[];
  readonly #byCode = new Map<string, Emoji>();

  /** Reads `[[name, "emoji\tdescription\tcode code\ttag tag", …], …]`. */
  constructor(groups: string[][]) {
    this.groups = groups.map(([name = "", ...lines]) => ({ name, emoji: lines.map((line) => this.#read(line)) }));
  }

  #read(line: string): Emoji {
    const [emoji = "", description = "", names = "", tags = ""] = line.split("\t");
    const codes = names.split(" ");
    const read = { emoji, description, codes, words: fold([description, names.replaceAll("_", " "), names, tags].join(" ")) };
    for (const code of codes) this.#byCode.set(code, read);
    return read;
  }

  all(): Emoji[] {
    return this.groups.flatMap((group) => group.emoji);
  }

  /** The emoji of a shortcode. */
  of(code: string): string | undefined {
    return this.#byCode.get(code.toLowerCase())?.emoji;
  }

  /** What all of these words find. */
  search(text: string): Emoji[] {
    const words = fold(text).split(/\s+/).filter(Boolean);
    const finds = (it: Emoji) => words.every((word) => ` ${it.words}`.includes(` ${word}`));
    return this.all().filter(finds);
  }

  /** Shortcodes that begin like this, and then others that contain it. */
  codes(part: string, count: number): { code: string; emoji: string }[] {
    const wanted = part.toLowerCase();
    const found = [...this.#byCode].map(([code, { emoji }]) => ({ code, emoji })).filter(({ code }) => code.includes(wanted));
    const rank = ({ code }: { code: string }) => (code === wanted ? 0 : code.startsWith(wanted) ? 1 : 2);
    // The order of sorting is stable, so the table's own order decides among equals.
    return found.sort((one, other) => rank(one) - rank(other)).slice(0, count);
  }
}
