import type { Message } from '@kikitori/transport';

/** The members of a JSON object that somebody sent, of any type. */
export type Members = Readonly<Record<string, unknown>>;

/** The object that a text message holds; undefined: it holds none. */
export function objectOf(message: Message): Members | undefined {
  if (typeof message !== 'string') return undefined;
  try {
    return membersOf(JSON.parse(message));
  } catch {
    return undefined;
  }
}

/** What a message says, text or UTF-8: SageMaker delivers as binary what its client did not declare as text. */
export function textOf(message: Message): string {
  return typeof message === 'string' ? message : Buffer.from(message).toString('utf8');
}

/** The members of a value; undefined: it is no object. */
export function membersOf(value: unknown): Members | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  // Checked; the compiler cannot see it.
  return isObject ? (value as Members) : undefined;
}
