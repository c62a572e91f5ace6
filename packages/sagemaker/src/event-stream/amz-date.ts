/** A moment as SigV4 writes it. */
export interface AmzDate {
  /** `YYYYMMDD` */
  readonly day: string;
  /** `YYYYMMDDTHHMMSSZ`; the fraction of the second is cut off. */
  readonly second: string;
}

const SHAPE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** Writes milliseconds since 1970. `RangeError` beyond what a `Date` holds. */
export function formatAmzDate(timeMs: number): AmzDate {
  const second = new Date(timeMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return { day: second.slice(0, 8), second };
}

/** Reads `YYYYMMDDTHHMMSSZ`; undefined for anything else. */
export function parseAmzDate(second: string): number | undefined {
  const [, year, month, day, hour, minute, seconds] = SHAPE.exec(second) ?? [];
  if (year === undefined) return undefined;
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${seconds}Z`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
