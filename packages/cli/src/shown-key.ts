import type { Context } from './context.js';
import { CliError } from './errors.js';

/**
 * Writes a new key to stdout, alone on its line, and waits until it is there. Rejects with `CliError` `output_failed` where nobody
 * can have seen it, with what follows from that, such as `so it opens nothing`: a key that nobody knows must not open a door.
 */
export async function showKey(
  key: string,
  consequence: string,
  { stdout, signal }: Pick<Context, 'stdout' | 'signal'>,
): Promise<void> {
  const isThrownAway = stdout.reader === 'void' || stdout.reader === 'closed';
  if (!isThrownAway) {
    stdout.write(`${key}\n`);
    await stdout.written();
    if (!signal.aborted) return;
  }
  throw new CliError('output_failed', `The key could not be shown, ${consequence}.`, {
    cause: isThrownAway ? undefined : signal.reason,
  });
}
