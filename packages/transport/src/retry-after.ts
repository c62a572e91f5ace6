const DELAY_SECONDS = /^\d{1,9}$/;

/**
 * Reads a `Retry-After` header (RFC 9110 section 10.2.3): whole seconds, or a date. Milliseconds from now, never
 * negative; undefined when there is none or it is neither.
 */
export function retryAfterMs(header: string | undefined, unixMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (DELAY_SECONDS.test(text)) return Number(text) * 1000;
  // A number that is not whole seconds would be taken for a year.
  const dateMs = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - unixMs);
}
