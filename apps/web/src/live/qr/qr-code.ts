import { codewordsOf } from './codewords.js';

/** Penalties for what a camera reads badly (section 7.8.3 of ISO/IEC 18004:2015). */
const PENALTY = { run: 3, square: 3, finder: 40, balance: 10 } as const;

const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** The modules of a QR code for a text, row by row: `1` is dark. Without the margin of four. Undefined: the text is too long. */
export function qrCode(text: string): readonly string[] | undefined {
  const codewords = codewordsOf(new TextEncoder().encode(text));
  if (codewords === undefined) return undefined;
  const { version, bytes } = codewords;
  const candidates = MASKS.map((_, mask) => {
    const grid = new Grid(version);
    grid.fill(bytes, mask);
    return grid.rows;
  });
  const penalties = candidates.map(penaltyOf);
  return candidates[penalties.indexOf(Math.min(...penalties))];
}

/** The modules while they are set. */
class Grid {
  readonly #size: number;
  readonly #version: number;
  readonly #dark: boolean[];
  /** Belongs to a pattern: holds no codeword and is not masked. */
  readonly #fixed: boolean[];

  constructor(version: number) {
    this.#version = version;
    this.#size = 17 + 4 * version;
    this.#dark = Array<boolean>(this.#size ** 2).fill(false);
    this.#fixed = [...this.#dark];
  }

  get rows(): readonly string[] {
    return Array.from({ length: this.#size }, (_, y) =>
      this.#dark
        .slice(y * this.#size, (y + 1) * this.#size)
        .map((isDark) => (isDark ? '1' : '0'))
        .join(''),
    );
  }

  fill(bytes: readonly number[], mask: number): void {
    this.#drawPatterns();
    this.#drawFormat(mask);
    this.#drawCodewords(bytes, MASKS[mask] ?? (() => false));
  }

  #set(x: number, y: number, isDark: boolean): void {
    if (x < 0 || y < 0 || x >= this.#size || y >= this.#size) return;
    this.#dark[y * this.#size + x] = isDark;
    this.#fixed[y * this.#size + x] = true;
  }

  /** Rings around a middle: those at a distance that is named are light. */
  #drawRings(x: number, y: number, reach: number, light: readonly number[]): void {
    for (let dy = -reach; dy <= reach; dy += 1) {
      for (let dx = -reach; dx <= reach; dx += 1) {
        this.#set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  }

  #drawPatterns(): void {
    const end = this.#size - 1;
    for (let at = 0; at <= end; at += 1) {
      this.#set(6, at, at % 2 === 0);
      this.#set(at, 6, at % 2 === 0);
    }
    const middles = this.#alignments();
    const [first, last] = [middles.at(0), middles.at(-1)];
    for (const x of middles) {
      for (const y of middles) {
        const isCorner =
          (x === first && y === first) || (x === first && y === last) || (x === last && y === first);
        if (!isCorner) this.#drawRings(x, y, 2, [1]);
      }
    }
    for (const [x, y] of [
      [3, 3],
      [end - 3, 3],
      [3, end - 3],
    ] as const) {
      this.#drawRings(x, y, 4, [2, 4]);
    }
    if (this.#version >= 7) this.#drawVersion();
  }

  #alignments(): readonly number[] {
    if (this.#version === 1) return [];
    const count = Math.floor(this.#version / 7) + 2;
    const step = 2 * Math.ceil((this.#version * 4 + 4) / (count * 2 - 2));
    const rest = Array.from({ length: count - 1 }, (_, at) => this.#size - 7 - at * step);
    return [6, ...rest.reverse()];
  }

  #drawVersion(): void {
    const bits = (this.#version << 12) | remainder(this.#version, 12, 0x1f25);
    for (let at = 0; at < 18; at += 1) {
      const [far, near] = [this.#size - 11 + (at % 3), Math.floor(at / 3)];
      this.#set(far, near, isSet(bits, at));
      this.#set(near, far, isSet(bits, at));
    }
  }

  /** Which level and which mask, twice. Level M is 00. */
  #drawFormat(mask: number): void {
    const bits = ((mask << 10) | remainder(mask, 10, 0x537)) ^ 0x5412;
    const end = this.#size - 1;
    for (let at = 0; at < 15; at += 1) {
      const isDark = isSet(bits, at);
      // Around the first finder, past the lines of timing; and beside the two others.
      if (at < 8) this.#set(8, at < 6 ? at : at + 1, isDark);
      else this.#set(at === 8 ? 7 : 14 - at, 8, isDark);
      if (at < 8) this.#set(end - at, 8, isDark);
      else this.#set(8, end - 14 + at, isDark);
    }
    this.#set(8, end - 7, true);
  }

  /** From the lower right, two columns at a time, up and down. */
  #drawCodewords(bytes: readonly number[], isMasked: (x: number, y: number) => boolean): void {
    const end = this.#size - 1;
    let bit = 0;
    for (let right = end; right >= 1; right -= right === 8 ? 3 : 2) {
      const isUpward = ((right + 1) & 2) === 0;
      for (let step = 0; step <= end; step += 1) {
        const y = isUpward ? end - step : step;
        for (const x of [right, right - 1]) {
          const place = y * this.#size + x;
          if (this.#fixed[place] === true) continue;
          const isDark = isSet(bytes[bit >> 3] ?? 0, 7 - (bit & 7));
          this.#dark[place] = isDark !== isMasked(x, y);
          bit += 1;
        }
      }
    }
  }
}

function isSet(bits: number, at: number): boolean {
  return ((bits >> at) & 1) === 1;
}

/** Of a division by a polynomial over GF(2). */
function remainder(value: number, degree: number, polynomial: number): number {
  let rest = value;
  for (let turn = 0; turn < degree; turn += 1) {
    rest = (rest << 1) ^ ((rest >> (degree - 1)) * polynomial);
  }
  return rest;
}

function penaltyOf(rows: readonly string[]): number {
  const columns = rows.map((_, x) => rows.map((row) => row[x] ?? '').join(''));
  const lines = [...rows, ...columns];
  const runs = lines.flatMap((line) => line.match(/0{5,}|1{5,}/g) ?? []);
  const finders = lines.flatMap((line) => [...line].filter((_, at) => isFinder(line, at)));
  const squares = rows.flatMap((row, y) => [...row].filter((each, x) => isSquare(rows, x, y, each)));
  const modules = rows.join('');
  const dark = modules.replaceAll('0', '').length / modules.length;
  return (
    runs.reduce((sum, run) => sum + PENALTY.run + run.length - 5, 0) +
    squares.length * PENALTY.square +
    finders.length * PENALTY.finder +
    Math.floor(Math.abs(dark - 0.5) * 20) * PENALTY.balance
  );
}

function isFinder(line: string, at: number): boolean {
  return line.startsWith('10111010000', at) || line.startsWith('00001011101', at);
}

function isSquare(rows: readonly string[], x: number, y: number, each: string): boolean {
  return rows[y]?.[x + 1] === each && rows[y + 1]?.[x] === each && rows[y + 1]?.[x + 1] === each;
}
