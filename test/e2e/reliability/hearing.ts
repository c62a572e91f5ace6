/** One speaker at the pace of speech, and what came of it. */
import { decodeFile } from '@kikitori/audio/file';
import { type ConnectOptions, openSession, pace, type Session } from '@kikitori/client';

/** With what follows them heard, too, words depend least on where a session began anew: what differs is the fault's. */
const DELAY_MS = 2_000;

/** What a session gave. */
export interface Hearing {
  readonly text: string;
  readonly words: readonly { readonly text: string; readonly startMs: number; readonly endMs: number }[];
  /** Longest time from the sending of a word's end to its text, milliseconds. */
  readonly lagMsMax: number;
  readonly disconnects: number;
  readonly reconnects: number;
  readonly planned: number;
  readonly gaps: number;
  readonly ambiguous: number;
}

/** Something that happens to the session once so much audio has been sent. */
export interface Fault {
  readonly atMs: number;
  readonly strike: () => Promise<void> | void;
}

/** Mono samples of 16 kHz of these files, one behind the other. */
export async function speechOf(files: readonly string[]): Promise<Float32Array> {
  const blocks: Float32Array[] = [];
  for (const file of files) for await (const block of await decodeFile(file)) blocks.push(block);
  const all = new Float32Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const block of blocks) {
    all.set(block, offset);
    offset += block.length;
  }
  return all;
}

/** Speaks `rate` times as fast as people do, from the first moment, connected or not. */
export async function hear(
  speech: Float32Array,
  options: ConnectOptions,
  { rate = 1, faults = [] }: { readonly rate?: number; readonly faults?: readonly Fault[] } = {},
): Promise<Hearing> {
  const session = openSession({ words: true, delayMs: DELAY_MS, ...options });
  const reading = read(session, rate);
  // What ends the session is thrown by `finish`, too.
  reading.catch(() => undefined);
  const strikes: Promise<void>[] = [];
  const due = [...faults];
  let samples = 0;
  for await (const piece of pace(speech, { rate })) {
    await session.send(piece);
    samples += piece.length;
    while (due[0] !== undefined && due[0].atMs * 16 <= samples) {
      strikes.push(Promise.resolve(due.shift()?.strike()));
    }
  }
  const { text, words } = await session.finish();
  await session.close();
  await Promise.all(strikes);
  return { text, words, ...(await reading) };
}

async function read(session: Session, rate: number): Promise<Omit<Hearing, 'text' | 'words'>> {
  const startedMs = performance.now();
  const counts = { disconnects: 0, reconnects: 0, planned: 0, gaps: 0, ambiguous: 0, lagMsMax: 0 };
  for await (const event of session) {
    if (event.type === 'disconnect') counts.disconnects += 1;
    else if (event.type === 'reconnect') counts[event.isPlanned ? 'planned' : 'reconnects'] += 1;
    else if (event.type === 'gap') counts.gaps += 1;
    else if (event.type === 'ambiguous') counts.ambiguous += 1;
    else if (event.type === 'delta' && event.audioMs !== undefined) {
      const lagMs = performance.now() - startedMs - event.audioMs / rate;
      counts.lagMsMax = Math.max(counts.lagMsMax, lagMs);
    }
  }
  return counts;
}
