/** The multi-line texts with which vLLM's schema library, pydantic 2.13, refuses a field. */
import { pythonRepr, pythonTypeName } from './python-repr.js';

const DOCS_URL = 'https://errors.pydantic.dev/2.13/v/';
/** pydantic-core shows a value of at most this many bytes whole, of a longer one the first 25 and the last 24. */
const SHOWN_BYTES_MAX = 50;
const HEAD_BYTES_MAX = 25;
const TAIL_BYTES_MAX = 24;

/** Why a field was refused: pydantic's error type and its sentence. */
export const PYDANTIC_SENTENCES = {
  missing: 'Field required',
  string_type: 'Input should be a valid string',
  string_unicode: 'Input should be a valid string, unable to parse raw data as a unicode string',
  bool_type: 'Input should be a valid boolean',
  bool_parsing: 'Input should be a valid boolean, unable to interpret input',
} as const;

/** What is wrong with which field of which class. */
export interface Refusal {
  /** vLLM's class, such as `InputAudioBufferAppend`. */
  readonly model: string;
  readonly field: string;
  readonly kind: keyof typeof PYDANTIC_SENTENCES;
  /** The value of the field; for `missing` the whole event. */
  readonly input: unknown;
}

/** The text of pydantic's ValidationError with this one refusal. */
export function pydanticText({ model, field, kind, input }: Refusal): string {
  const value = `input_value=${shortened(pythonRepr(input))}, input_type=${pythonTypeName(input)}`;
  return [
    `1 validation error for ${model}`,
    field,
    `  ${PYDANTIC_SENTENCES[kind]} [type=${kind}, ${value}]`,
    `    For further information visit ${DOCS_URL}${kind}`,
  ].join('\n');
}

function shortened(repr: string): string {
  const characters = [...repr];
  let totalBytes = 0;
  for (const character of characters) totalBytes += utf8Bytes(character);
  if (totalBytes <= SHOWN_BYTES_MAX) return repr;
  return `${fitting(characters, HEAD_BYTES_MAX).join('')}...${fitting(characters.reverse(), TAIL_BYTES_MAX).reverse().join('')}`;
}

/** The longest run of whole characters from the front that fits into so many bytes. */
function fitting(characters: readonly string[], bytesMax: number): string[] {
  let bytes = 0;
  const end = characters.findIndex((character) => {
    bytes += utf8Bytes(character);
    return bytes > bytesMax;
  });
  return characters.slice(0, end === -1 ? characters.length : end);
}

function utf8Bytes(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
