import type { Members } from '../dialects/json-object.js';

/** The version of the protocol's own library that this was held against; told with every event, as that does. */
export const WYOMING_VERSION = '1.10.2';

/**
 * An event in its bytes. Its data goes behind the line: a transcript may be longer than the line that Python's
 * `asyncio` reads.
 */
export function eventFrame(type: string, data: Members = {}): Buffer {
  const isBare = Object.keys(data).length === 0;
  const body = Buffer.from(isBare ? '' : JSON.stringify(data), 'utf8');
  const length = isBare ? {} : { data_length: body.length };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify({ type, version: WYOMING_VERSION, ...length })}\n`, 'utf8'),
    body,
  ]);
}
