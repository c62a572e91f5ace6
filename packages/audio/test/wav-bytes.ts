/** Builds WAV bytes field by field, wrong ones too. */

export interface FormatFields {
  readonly tag?: number;
  readonly channels?: number;
  readonly rateHz?: number;
  readonly align?: number;
  readonly bits?: number;
  /** Bytes behind the first 16. */
  readonly extra?: readonly number[];
}

const isBig = (order: 'little' | 'big') => order === 'big';

export function u16(value: number, order: 'little' | 'big' = 'little'): number[] {
  const bytes = [value & 255, (value >> 8) & 255];
  return isBig(order) ? bytes.reverse() : bytes;
}

export function u32(value: number, order: 'little' | 'big' = 'little'): number[] {
  const bytes = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];
  return isBig(order) ? bytes.reverse() : bytes;
}

export const u64 = (value: number) => [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];

export const id = (name: string) => [...name].map((letter) => letter.charCodeAt(0));

export function chunk(
  name: string,
  body: readonly number[],
  size = body.length,
  order: 'little' | 'big' = 'little',
) {
  return [...id(name), ...u32(size, order), ...body, ...(body.length % 2 === 1 ? [0] : [])];
}

export function format(fields: FormatFields = {}, order: 'little' | 'big' = 'little'): number[] {
  const { tag = 1, channels = 1, rateHz = 16_000, bits = 16, extra = [] } = fields;
  const align = fields.align ?? channels * Math.ceil(bits / 8);
  const numbers = [u16(tag, order), u16(channels, order), u32(rateHz, order), u32(rateHz * align, order)];
  return chunk(
    'fmt ',
    [...numbers.flat(), ...u16(align, order), ...u16(bits, order), ...extra],
    undefined,
    order,
  );
}

export function riff(parts: readonly number[][], name = 'RIFF', size?: number): Uint8Array {
  const body = parts.flat();
  const order = name === 'RIFX' ? 'big' : 'little';
  return Uint8Array.from([...id(name), ...u32(size ?? body.length + 4, order), ...id('WAVE'), ...body]);
}
