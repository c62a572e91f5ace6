import type { DoorFault, LineFault } from './network.js';
import type { VllmAge } from '../vllm/stand-in.js';
import { Random } from './random.js';

/** Something that happens to all connections at a moment of virtual time. */
export type ServerFault =
  /** Killed and started again after `downMs`. */
  | { readonly type: 'kill'; readonly atMs: number; readonly downMs: number }
  /** SIGTERM: lets go of its sessions, and listens again after `downMs`. */
  | { readonly type: 'drain'; readonly atMs: number; readonly downMs: number }
  /** The recogniser crashes in every session. */
  | { readonly type: 'crash'; readonly atMs: number };

/** How the audio comes. */
export type Feed = 'live' | 'file';

/** The caller does not read on for so long, behind the nth event. */
export interface ReaderPause {
  readonly at: number;
  readonly ms: number;
}

/** Everything that decides one run. Plain data, so that a failing one can be made smaller. */
export interface Schedule {
  readonly seed: number;
  /** `silent`: vLLM as it is. `relayed`: our server in front of such a one, which finds utterances and places words. */
  readonly kind: 'ours' | 'silent' | 'relayed';
  /** What passes: whole messages, or the bytes of WebSocket frames. */
  readonly way: 'messages' | 'bytes';
  /** Between bytes: the longest piece in which they come; 0: as they were written. */
  readonly pieceBytesMax: number;
  readonly feed: Feed;
  readonly lengthMs: number;
  readonly chunkMs: number;
  readonly lookAheadMs: number;
  readonly realTimeFactor: number;
  /** Words heard again lie elsewhere by up to this much. */
  readonly shiftMsMax: number;
  readonly delayMsMax: number;
  readonly wantsWords: boolean;
  /** Audio is given before there is a connection. */
  readonly isEarly: boolean;
  /** The caller ends utterances in about so many of the pauses, 0…1. */
  readonly endsShare: number;
  readonly sessionMsMax: number | undefined;
  /** What the server's model bears in one utterance, tokens; only of those that tell no positions. */
  readonly maxModelLen: number | undefined;
  /** The client is told; otherwise it learns it from an utterance that was ended. */
  readonly isLimitKnown: boolean;
  readonly age: VllmAge;
  /** Audio that the client keeps; undefined: more than there is, and nothing may be missing. */
  readonly keepMs: number | undefined;
  readonly readerPauses: readonly ReaderPause[];
  readonly lineFaults: readonly (readonly LineFault[])[];
  readonly doorFaults: readonly (DoorFault | undefined)[];
  readonly serverFaults: readonly ServerFault[];
  /** `relayed`: how long the first connections to the server behind live; later ones are left alone. */
  readonly behindLivesMs: readonly number[];
}

/** What is wanted of schedules. */
export interface ScheduleOptions {
  readonly kind?: Schedule['kind'];
  /** Connections are handed over, and nothing else happens. */
  readonly handoversOnly?: boolean;
  /** What passes: whole messages (default), or bytes. */
  readonly way?: Schedule['way'];
  /** Nothing breaks in front of our server: the one behind it goes away. */
  readonly breaksBehind?: boolean;
  /** The client keeps less audio than the longest outages take. */
  readonly keepsLittle?: boolean;
  /** The server's model bears only a few seconds. */
  readonly hasLimit?: boolean;
}

/** What can happen in the middle of a session. */
export type Trouble = LineFault['type'] | DoorFault['type'] | ServerFault['type'] | 'pause';

const SERVER_FAULTS = {
  ours: ['kill', 'drain', 'crash'],
  silent: ['kill'],
  relayed: ['kill', 'drain'],
} as const;

/** The schedule of a seed. */
export function makeSchedule(seed: number, options: ScheduleOptions = {}): Schedule {
  const random = new Random(seed);
  const { kind = random.chance(0.3) ? 'silent' : 'ours', way = 'messages' } = options;
  const keepsLittle = options.keepsLittle === true;
  const lengthMs = random.between(8, 30) * 1_000;
  const breaksBehind = options.breaksBehind === true;
  const isCalm = options.handoversOnly === true || breaksBehind;
  const hasHandovers = options.handoversOnly === true || (!breaksBehind && random.chance(0.3));
  return {
    seed,
    kind,
    feed: random.chance(0.75) ? 'live' : 'file',
    lengthMs,
    chunkMs: random.pick([80, 100, 160, 240]),
    lookAheadMs: random.pick([0, 200, 700]),
    realTimeFactor: random.chance(0.3) ? random.next() * 0.4 : 0,
    shiftMsMax: random.chance(0.25) ? 40 : 0,
    delayMsMax: random.chance(0.4) ? random.pick([5, 30, 150]) : 0,
    wantsWords: random.chance(0.8),
    isEarly: random.chance(0.25),
    endsShare: random.chance(0.3) ? random.next() : 0,
    // A server without positions needs time to find a gap.
    sessionMsMax: hasHandovers ? random.between(kind === 'ours' ? 4 : 12, 18) * 1_000 : undefined,
    lineFaults: isCalm ? [] : lineFaultsOf(random, way),
    doorFaults: isCalm ? [] : doorFaultsOf(random),
    serverFaults: isCalm ? [] : serverFaultsOf(random, lengthMs, kind),
    way,
    pieceBytesMax: way === 'bytes' ? random.pick([0, 7, 100, 1_400, 1_400]) : 0,
    readerPauses: random.chance(0.4) ? readerPausesOf(random) : [],
    ...limitOf(new Random(seed ^ 0x1b873593), options.hasLimit === true),
    ...behindOf(new Random(seed ^ 0x3c6ef372), breaksBehind),
    // A word at the edge of a gap must lie where it lies.
    ...(keepsLittle ? { keepMs: random.between(5, 12) * 1_000, shiftMsMax: 0 } : { keepMs: undefined }),
  };
}

/** How long the first connections behind our server live. */
function behindOf(random: Random, breaks: boolean): Pick<Schedule, 'behindLivesMs'> {
  const count = breaks ? random.between(1, 3) : 0;
  return { behindLivesMs: Array.from({ length: count }, () => random.between(10, 12_000)) };
}

/** Whoever does not know the limit of a server that dies of it learns nothing. */
function limitOf(
  random: Random,
  hasLimit: boolean,
): Pick<Schedule, 'maxModelLen' | 'isLimitKnown' | 'age'> {
  if (!hasLimit) return { maxModelLen: undefined, isLimitKnown: false, age: '0.32' };
  const isLimitKnown = random.chance(0.75);
  const age = isLimitKnown ? random.pick(['0.17.1', '0.31', '0.32'] as const) : '0.32';
  return { maxModelLen: random.between(100, 260), isLimitKnown, age };
}

/** Nothing but a voice that speaks: what a test changes is all that happens. */
export function calmSchedule(kind: Schedule['kind'], changes: Partial<Schedule> = {}): Schedule {
  return {
    ...makeSchedule(1, { kind, handoversOnly: true }),
    feed: 'live',
    chunkMs: 80,
    realTimeFactor: 0,
    delayMsMax: 0,
    endsShare: 0,
    sessionMsMax: undefined,
    isEarly: false,
    readerPauses: [],
    ...changes,
  };
}

/** Everything that schedules of a kind plan, in the order of the alphabet. */
export function troublesOf(kind: Schedule['kind']): readonly Trouble[] {
  const everywhere = ['cut', 'half-open', 'pause', 'refuse', 'slow', 'stall', 'unreachable'] as const;
  return [...everywhere, ...SERVER_FAULTS[kind]].sort();
}

/** A connection's first messages and bytes are struck as often as all the others together, or nearly. */
const STRUCK: Readonly<Record<Schedule['way'], { readonly early: number; readonly late: number }>> = {
  messages: { early: 6, late: 300 },
  bytes: { early: 2_000, late: 600_000 },
};

function lineFaultsOf(random: Random, way: Schedule['way']): LineFault[][] {
  return Array.from({ length: random.between(0, 4) }, () => {
    const at = random.between(1, random.chance(0.3) ? STRUCK[way].early : STRUCK[way].late);
    const fault = random.pick(['cut', 'cut', 'stall', 'half-open'] as const);
    if (fault === 'cut') return [{ type: fault, at }];
    if (fault === 'stall') return [{ type: fault, at, ms: random.between(100, 20_000) }];
    return [{ type: fault, at, noticedAfterMs: random.between(1_000, 120_000) }];
  });
}

function doorFaultsOf(random: Random): (DoorFault | undefined)[] {
  return Array.from({ length: random.between(0, 5) }, (_, index): DoorFault | undefined => {
    // The first try of `connect` is the only one that is not repeated.
    if (index === 0 || random.chance(0.5)) return undefined;
    return random.pick<DoorFault>([
      { type: 'refuse', httpStatus: 503, retryAfterMs: 2_000 },
      { type: 'refuse', httpStatus: 429 },
      { type: 'unreachable' },
      { type: 'slow', ms: random.between(10, 15_000) },
    ]);
  });
}

function serverFaultsOf(random: Random, lengthMs: number, kind: Schedule['kind']): ServerFault[] {
  return Array.from({ length: random.between(0, 2) }, () => {
    const atMs = random.between(0, lengthMs + 2_000);
    const type = random.pick(SERVER_FAULTS[kind]);
    return type === 'crash' ? { type, atMs } : { type, atMs, downMs: random.between(0, 20_000) };
  });
}

function readerPausesOf(random: Random): ReaderPause[] {
  return Array.from({ length: random.between(1, 4) }, () => ({
    at: random.between(1, 200),
    ms: random.between(1_000, 20_000),
  }));
}

/** Smaller schedules to try when one has failed, the simplest changes first. */
export function* smallerThan(schedule: Schedule): Generator<Schedule, void, undefined> {
  for (const index of schedule.serverFaults.keys()) {
    yield { ...schedule, serverFaults: schedule.serverFaults.filter((_, other) => other !== index) };
  }
  for (const index of schedule.lineFaults.keys()) {
    // Those of later connections strike earlier ones.
    yield { ...schedule, lineFaults: schedule.lineFaults.filter((_, other) => other !== index) };
  }
  for (const [index, faults] of schedule.lineFaults.entries()) {
    if (faults.length === 0) continue;
    yield {
      ...schedule,
      lineFaults: schedule.lineFaults.map((kept, other) => (other === index ? [] : kept)),
    };
  }
  for (const [index, fault] of schedule.doorFaults.entries()) {
    if (fault === undefined) continue;
    const doorFaults = schedule.doorFaults.map((kept, other) => (other === index ? undefined : kept));
    yield { ...schedule, doorFaults };
  }
  for (const index of schedule.readerPauses.keys()) {
    yield { ...schedule, readerPauses: schedule.readerPauses.filter((_, other) => other !== index) };
  }
  for (const index of schedule.behindLivesMs.keys()) {
    yield { ...schedule, behindLivesMs: schedule.behindLivesMs.filter((_, other) => other !== index) };
  }
  if (schedule.pieceBytesMax > 0) yield { ...schedule, pieceBytesMax: 0 };
  if (schedule.delayMsMax > 0) yield { ...schedule, delayMsMax: 0 };
  if (schedule.realTimeFactor > 0) yield { ...schedule, realTimeFactor: 0 };
  if (schedule.endsShare > 0) yield { ...schedule, endsShare: 0 };
  if (schedule.sessionMsMax !== undefined) yield { ...schedule, sessionMsMax: undefined };
  if (schedule.isEarly) yield { ...schedule, isEarly: false };
  if (schedule.lookAheadMs > 0) yield { ...schedule, lookAheadMs: 0 };
}
