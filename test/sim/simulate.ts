import { connect, openSession, type Session, type SessionEvent, type Transcript } from '@kikitori/client';
import {
  type HostedSession,
  RELAY_ENDPOINT_RULES,
  SESSION_LIMITS,
  serveConnection,
  silentLogger,
  startRelaySession,
  systemClock,
} from '@kikitori/server';
import { type Connection, createMemoryPair } from '@kikitori/transport';
import { vi } from 'vitest';
import { Network } from './network.js';
import { Random } from './random.js';
import type { Schedule } from './schedule.js';
import { serveSilently } from './silent-server.js';
import { SimEngine } from './sim-engine.js';
import { makeAudio, makeSpeech, SAMPLES_PER_MS, type Speech, wordsOf } from './speech.js';
import { settle, sleep, stopTime } from './virtual-time.js';

/** How a run came out. */
export interface Outcome {
  /** What should not be; empty: all is well. */
  readonly flaws: readonly string[];
  readonly reconnects: number;
  readonly handovers: number;
  readonly connections: number;
  /** From the last audio given to the end, virtual milliseconds. */
  readonly finishMs: number;
}

/** The transcript that nothing disturbs. */
interface Truth {
  readonly text: string;
  readonly words: readonly { readonly text: string; readonly startMs: number; readonly endMs: number }[];
}

const FLAWS_MAX = 8;

/** Runs one schedule in virtual time. `isLasting: false` is the canary: a client that gives up at the first loss. */
export async function simulate(schedule: Schedule, { isLasting = true } = {}): Promise<Outcome> {
  stopTime();
  try {
    return await new Simulation(schedule, isLasting).run();
  } finally {
    vi.useRealTimers();
  }
}

class Simulation {
  readonly #schedule: Schedule;
  readonly #isLasting: boolean;
  readonly #random: Random;
  readonly #speech: Speech;
  readonly #truth: Truth;
  readonly #network: Network;
  readonly #engine: SimEngine;
  readonly #flaws: string[] = [];
  readonly #serving = new Set<Promise<unknown>>();
  readonly #sessions = new Set<HostedSession>();
  readonly #events: SessionEvent[] = [];
  #finishMs = 0;

  constructor(schedule: Schedule, isLasting: boolean) {
    this.#schedule = schedule;
    this.#isLasting = isLasting;
    this.#random = new Random(schedule.seed ^ 0x5bd1e995);
    this.#speech = makeSpeech(this.#random, schedule.lengthMs);
    const words = wordsOf(this.#speech.script);
    this.#truth = { text: words.map(({ text }) => text).join(' '), words };
    const { shiftMsMax, delayMsMax, lookAheadMs, realTimeFactor } = schedule;
    const delays = new Random(schedule.seed ^ 0x2545f491);
    this.#engine = new SimEngine({
      script: this.#speech.script,
      lookAheadMs,
      realTimeFactor,
      shiftMs: () => (shiftMsMax === 0 ? 0 : delays.between(-shiftMsMax, shiftMsMax)),
      onFlaw: (what) => this.#note(what),
    });
    this.#network = new Network({
      lineFaults: schedule.lineFaults,
      doorFaults: schedule.doorFaults,
      delayMs: () => (delayMsMax === 0 ? 0 : delays.between(0, delayMsMax)),
      serve: (connection) => this.#serve(connection),
    });
  }

  async run(): Promise<Outcome> {
    const session = await this.#open();
    const reading = this.#read(session);
    const troubles = this.#schedule.serverFaults.map((fault) => this.#trouble(fault));
    let transcript: Transcript | undefined;
    try {
      transcript = await settle(this.#speak(session));
    } catch (error) {
      this.#note(`the session failed: ${describe(error)}`);
    }
    session.destroy();
    await settle(Promise.all([reading, session.close(), ...troubles, ...this.#serving])).catch((error) =>
      this.#note(`something was left: ${describe(error)}`),
    );
    if (transcript !== undefined) this.#judge(transcript, session);
    if (this.#network.open > 0) this.#note(`${this.#network.open} connections are still open`);
    const { reconnects, handovers } = session.continuity;
    const { connections } = this.#network;
    return { flaws: this.#flaws, reconnects, handovers, connections, finishMs: this.#finishMs };
  }

  async #open(): Promise<Session> {
    const { wantsWords, isEarly, sessionMsMax } = this.#schedule;
    const options = {
      connect: this.#network.connect,
      words: wantsWords,
      random: new Random(this.#schedule.seed ^ 0x9e3779b9).next,
      reconnect: this.#isLasting,
      ...(sessionMsMax === undefined ? {} : { sessionMsMax }),
    };
    return isEarly || this.#schedule.lineFaults[0]?.some(({ at }) => at < 4) === true
      ? openSession(options)
      : await settle(connect(options));
  }

  /** Gives the audio as a microphone or a file does, and waits for the end. */
  async #speak(session: Session): Promise<Transcript> {
    const { feed, chunkMs, endsShare } = this.#schedule;
    const audio = makeAudio(this.#speech);
    const pauses = this.#pauses(endsShare);
    const ends: Promise<void>[] = [];
    const sends: Promise<void>[] = [];
    for (let atMs = 0; atMs < this.#speech.lengthMs; atMs += chunkMs) {
      const chunk = audio.subarray(atMs * SAMPLES_PER_MS, (atMs + chunkMs) * SAMPLES_PER_MS);
      if (feed === 'live') await sleep(chunkMs);
      const sending = session.send(chunk);
      // A microphone does not wait.
      if (feed === 'live') sends.push(quietly(sending));
      else await sending;
      while ((pauses[0] ?? Number.POSITIVE_INFINITY) < atMs) {
        pauses.shift();
        ends.push(quietly(session.endUtterance()));
      }
    }
    const finishedAtMs = performance.now();
    const transcript = await session.finish();
    this.#finishMs = performance.now() - finishedAtMs;
    await Promise.all([...ends, ...sends]);
    return transcript;
  }

  /** Moments at which the caller knows that nobody speaks. */
  #pauses(share: number): number[] {
    const { script } = this.#speech;
    return script.flatMap(({ words }, index) => {
      const endMs = words.at(-1)?.endMs ?? 0;
      const nextMs = script[index + 1]?.words[0]?.startMs ?? this.#speech.lengthMs;
      const atMs = endMs + 300;
      return nextMs - endMs > 1_000 && this.#random.chance(share) ? [atMs] : [];
    });
  }

  async #read(session: Session): Promise<void> {
    try {
      for await (const event of session) this.#events.push(event);
    } catch {
      // The failure is noted where the caller meets it.
    }
  }

  #serve(connection: Connection): void {
    const { script } = this.#speech;
    const onFlaw = (what: string): void => this.#note(what);
    if (this.#schedule.kind === 'silent') {
      this.#track(serveSilently(connection, { script, onFlaw }));
      return;
    }
    const session =
      this.#schedule.kind === 'relayed'
        ? this.#relay(connection)
        : serveConnection(connection, { engine: this.#engine });
    this.#sessions.add(session);
    this.#track(session.ended.then(() => this.#sessions.delete(session)));
  }

  /** Our server in front of one that tells no positions. */
  #relay(connection: Connection): HostedSession {
    const { script } = this.#speech;
    return startRelaySession({
      connection,
      connect: async () => {
        const { near, far } = createMemoryPair();
        this.#track(serveSilently(far, { script, onFlaw: (what) => this.#note(what) }));
        return near;
      },
      url: 'ws://localhost/v1/realtime',
      rules: RELAY_ENDPOINT_RULES,
      limits: SESSION_LIMITS,
      clock: systemClock,
      logger: silentLogger,
      onUpstreamFailure: () => undefined,
    });
  }

  #track(serving: Promise<unknown>): void {
    this.#serving.add(serving);
    void serving.then(() => this.#serving.delete(serving));
  }

  async #trouble(fault: Schedule['serverFaults'][number]): Promise<void> {
    await sleep(fault.atMs);
    if (fault.type === 'crash') {
      this.#engine.crash();
    } else if (fault.type === 'kill') {
      this.#network.kill(fault.downMs);
    } else {
      this.#network.shut(fault.downMs);
      for (const session of this.#sessions) session.drain(5_000);
    }
  }

  #judge(transcript: Transcript, session: Session): void {
    const { kind, wantsWords, shiftMsMax } = this.#schedule;
    this.#equal('text', transcript.text, this.#truth.text);
    const deltas = this.#events.flatMap((event) => (event.type === 'delta' ? [event.text] : [])).join('');
    this.#equal('deltas', deltas.trim(), this.#truth.text);
    const dones = this.#events.flatMap((event) => (event.type === 'done' ? [event.text] : [])).join('');
    this.#equal('answers', dones.trim(), this.#truth.text);
    for (const event of this.#events) {
      if (event.type === 'gap') this.#note(`a gap from ${event.startMs} to ${event.endMs}`);
      if (event.type === 'ambiguous') this.#note('two texts did not fit');
    }
    if (session.continuity.gaps.length > 0) this.#note('gaps');
    if (kind === 'ours' && wantsWords) this.#judgeWords(transcript, shiftMsMax);
  }

  #judgeWords({ words }: Transcript, shiftMsMax: number): void {
    this.#equal('words', words.map(({ text }) => text).join(' '), this.#truth.text);
    for (const [index, { text, startMs, endMs }] of words.entries()) {
      const truth = this.#truth.words[index];
      if (truth === undefined) return;
      const offMs = Math.max(Math.abs(startMs - truth.startMs), Math.abs(endMs - truth.endMs));
      if (offMs > shiftMsMax * 2) this.#note(`"${text}" is off by ${offMs} ms at ${truth.startMs} ms`);
    }
    let settledMs = 0;
    for (const event of this.#events) {
      if (event.type !== 'progress') continue;
      if (event.settledMs < settledMs) this.#note('progress went back');
      settledMs = event.settledMs;
    }
  }

  #equal(what: string, found: string, expected: string): void {
    if (found !== expected) this.#note(`${what}:\n  ${found}\n  instead of\n  ${expected}`);
  }

  #note(what: string): void {
    if (this.#flaws.length < FLAWS_MAX) this.#flaws.push(what);
  }
}

async function quietly(promise: Promise<void>): Promise<void> {
  try {
    await promise;
  } catch {
    // What fails here fails in `finish` too.
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? `${String(error.code)}: ` : '';
  return `${code}${error.message}${error.cause === undefined ? '' : ` <- ${describe(error.cause)}`}`;
}
