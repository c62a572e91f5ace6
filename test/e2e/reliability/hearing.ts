/** One speaker at the pace of speech, and what came of it. */
import { decodeFile } from '@kikitori/audio/file';
import { type ConnectOptions, openSession, type PaceRate, pace, type Session } from '@kikitori/client';

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

/** Something that happens to the session once so much audio has been sent, and what was broken before is mended. */
export interface Fault {
  readonly atMs: number;
  /** `lost`: when the session has noticed. */
  readonly strike: (lost: () => Promise<void>) => Promise<void> | void;
}

/** How a session goes. */
interface Course {
  readonly rate?: PaceRate;
  readonly faults?: readonly Fault[];
  /** So many hand-overs there are before its end is asked for, however late the machine is with them. */
  readonly plannedMin?: number;
}

/** How often a session of a busy machine is looked at. */
const LOOK_MS = 20;

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
  { rate = 1, faults = [], plannedMin = 0 }: Course = {},
): Promise<Hearing> {
  const session = openSession({ words: true, delayMs: DELAY_MS, ...options });
  const counts = { disconnects: 0, reconnects: 0, planned: 0, gaps: 0, ambiguous: 0, lagMsMax: 0 };
  const reading = read(session, counts, rate);
  // What ends the session is thrown by `finish`, too.
  reading.catch(() => undefined);
  const strikes: Promise<void>[] = [];
  const due = [...faults];
  let samples = 0;
  const strike = (): void => {
    const [next] = due;
    // A fault meets a connection: where the machine is late, it waits for that.
    const isWhole = session.id !== '' && counts.reconnects >= Math.max(strikes.length, counts.disconnects);
    if (next === undefined || !isWhole || next.atMs * 16 > samples) return;
    due.shift();
    const lostBefore = counts.disconnects;
    strikes.push(Promise.resolve(next.strike(() => until(() => counts.disconnects > lostBefore))));
  };
  for await (const piece of pace(speech, { rate })) {
    await session.send(piece);
    samples += piece.length;
    strike();
  }
  await until(() => {
    strike();
    return due.length === 0 && counts.planned >= plannedMin;
  });
  const { text, words } = await session.finish();
  await session.close();
  await Promise.all(strikes);
  await reading;
  return { text, words, ...counts };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

type Counts = { -readonly [Name in keyof Omit<Hearing, 'text' | 'words'>]: number };

async function read(session: Session, counts: Counts, rate: PaceRate): Promise<void> {
  const startedMs = performance.now();
  const speed = typeof rate === 'number' ? rate : 1;
  for await (const event of session) {
    if (event.type === 'disconnect') counts.disconnects += 1;
    else if (event.type === 'reconnect') counts[event.isPlanned ? 'planned' : 'reconnects'] += 1;
    else if (event.type === 'gap') counts.gaps += 1;
    else if (event.type === 'ambiguous') counts.ambiguous += 1;
    else if (event.type === 'delta' && event.audioMs !== undefined) {
      const lagMs = performance.now() - startedMs - event.audioMs / speed;
      counts.lagMsMax = Math.max(counts.lagMsMax, lagMs);
    }
  }
}
