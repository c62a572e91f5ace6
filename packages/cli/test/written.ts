import type { MemoryContext } from './memory-context.js';

/** Waits for what a command writes; the test's own time limit is the bound. Resolves with the first group. */
export async function written(
  context: MemoryContext,
  stream: 'stdout' | 'stderr',
  pattern: RegExp,
): Promise<string> {
  for (;;) {
    const found = pattern.exec(context[stream].text);
    if (found !== null) return found[1] ?? found[0];
    // Turns of the event loop would take the core that the command is to run on.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
