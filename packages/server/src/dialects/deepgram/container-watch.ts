const HEADS: readonly (readonly [name: string, at: number, head: string])[] = [
  ['WAV', 0, 'RIFF'],
  ['Ogg', 0, 'OggS'],
  ['FLAC', 0, 'fLaC'],
  ['WebM', 0, '\x1aE\xdf\xa3'],
  ['MP3', 0, 'ID3'],
  ['MP4', 4, 'ftyp'],
];
const HEAD_BYTES = 8;

/** The name of the container that these bytes begin; undefined: none of those that are known. */
export function containerOf(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
  return HEADS.find(([, at, text]) => head.startsWith(text, at))?.[0];
}

/** Looks at the first audio of a connection: a container heard as raw audio would be noise. */
export class ContainerWatch {
  #isOver: boolean;

  /** `isRaw`: the client said that it sends none. */
  constructor(isRaw: boolean) {
    this.#isOver = isRaw;
  }

  /** A sentence for people, where these bytes begin a container. */
  problemOf(bytes: Uint8Array): string | undefined {
    if (this.#isOver) return undefined;
    const found = containerOf(bytes);
    this.#isOver = found === undefined;
    if (found === undefined) return undefined;
    return `This is ${found}. Send raw audio, and say encoding and sample_rate in the query.`;
  }
}
