import { getEventListeners } from 'node:events';
import {
  CLIENT_LIMITS,
  connect,
  openSession,
  type Session,
  type SessionEvent,
  type Transcript,
} from '@kikitori/client';
import type { SpeechEngine } from '@kikitori/engine';
import { createUpstreamEngine } from '@kikitori/engine-upstream';
import { type HostedSession, serveConnection } from '@kikitori/server';
import { type Connection, createMemoryPair } from '@kikitori/transport';
import type { StandInOptions } from '../vllm/stand-in.js';
import { BoundsWatch, type Peaks } from './bounds-watch.js';
import { ByteNetwork } from './byte-network.js';
import { flawsOf } from './judge.js';
import { MessageNetwork } from './message-network.js';
import type { Network, NetworkOptions } from './network.js';
import { piecesOf } from './pieces.js';
import { Random } from './random.js';
import type { Schedule, Trouble } from './schedule.js';
import { serveSilently } from './silent-server.js';
import { SimEngine } from './sim-engine.js';
import { makeAudio, makeSpeech, SAMPLES_PER_MS, type Speech, wordsOf } from './speech.js';
import { pendingTimers, settle, sleep, startTime, stopTime } from './virtual-time.js';

/** How a run came out. */
export interface Outcome {
  /** What should not be; empty: all is well. */
  readonly flaws: readonly string[];
  readonly reconnects: number;
  readonly handovers: number;
  /** Turns that were parted ahead of the model's limit, and those that were ended by it. */
  readonly rollovers: number;
  readonly limits: number;
  readonly connections: number;
  /** From the last audio given to the end, virtual milliseconds. */
  readonly finishMs: number;
  readonly peaks: Peaks;
  readonly gaps: number;
  /** Connections that our server lost to the one behind it. */
  readonly lossesBehind: number;
  /** What really happened of what was planned. */
  readonly struck: ReadonlySet<Trouble>;
}

const FLAWS_MAX = 8;

/** Runs one schedule in virtual time. `isLasting: false` is the canary: a client that gives up at the first loss. */
export async function simulate(schedule: Schedule, { isLasting = true } = {}): Promise<Outcome> {
  stopTime();
  try {
    return await new Simulation(schedule, isLasting).run();
  } finally {
    startTime();
  }
}

class Simulation {
  readonly #schedule: Schedule;
  readonly #isLasting: boolean;
  readonly #random: Random;
  readonly #speech: Speech;
  readonly #network: Network;
  readonly #engine: SimEngine;
  /** Where our server stands in front of another one. */
  readonly #upstream: SpeechEngine | undefined;
  readonly #flaws: string[] = [];
  readonly #serving = new Set<Promise<unknown>>();
  readonly #sessions = new Set<HostedSession>();
  readonly #events: SessionEvent[] = [];
  readonly #struck = new Set<Trouble>();
  readonly #watch: BoundsWatch;
  /** The one that the caller gives to every wait. */
  readonly #caller = new AbortController();
  #isFinishing = false;
  #lossesBehind = 0;
  #finishMs = 0;
  #limits = 0;

  constructor(schedule: Schedule, isLasting: boolean) {
    this.#schedule = schedule;
    this.#isLasting = isLasting;
    this.#random = new Random(schedule.seed ^ 0x5bd1e995);
    this.#speech = makeSpeech(this.#random, schedule.lengthMs);
    const { shiftMsMax, delayMsMax, lookAheadMs, realTimeFactor } = schedule;
    const delays = new Random(schedule.seed ^ 0x2545f491);
    this.#engine = new SimEngine({
      script: this.#speech.script,
      lookAheadMs,
      realTimeFactor,
      shiftMs: () => (shiftMsMax === 0 ? 0 : delays.between(-shiftMsMax, shiftMsMax)),
      onFlaw: (what) => this.#note(what),
    });
    this.#upstream = schedule.kind === 'relayed' ? this.#makeUpstream() : undefined;
    this.#network = this.#makeNetwork({
      lineFaults: schedule.lineFaults,
      doorFaults: schedule.doorFaults,
      delayMs: () => (delayMsMax === 0 ? 0 : delays.between(0, delayMsMax)),
      serve: (connection) => this.#serve(connection),
      onFault: (type) => this.#struck.add(type),
    });
    this.#watch = new BoundsWatch(this.#network, schedule.keepMs, (what) => this.#note(what));
  }

  #makeNetwork(options: NetworkOptions): Network {
    const { seed, way, pieceBytesMax } = this.#schedule;
    if (way === 'messages') return new MessageNetwork(options);
    return new ByteNetwork({ ...options, pieces: piecesOf(pieceBytesMax, new Random(seed ^ 0x7f4a7c15)) });
  }

  async run(): Promise<Outcome> {
    const session = await this.#open();
    const look = (): void => this.#watch.look(session, { isFinishing: this.#isFinishing });
    // What went wrong, where the loop throws; it may end long before it is asked.
    const reading = this.#read(session).catch((error) => describe(error));
    const troubles = this.#schedule.serverFaults.map((fault) => this.#trouble(fault));
    let transcript: Transcript | undefined;
    try {
      transcript = await settle(this.#speak(session), look);
    } catch (error) {
      this.#note(`the session failed: ${describe(error)}`);
    }
    session.destroy();
    await settle(session.close()).catch((error) => this.#note(`it does not close: ${describe(error)}`));
    const ending = await settle(reading);
    if (transcript !== undefined && ending !== undefined) this.#note(`finished, and failed too: ${ending}`);
    const left = this.#left(troubles);
    await settle(left).catch((error) => this.#note(`something was left: ${describe(error)}`));
    if (transcript !== undefined) this.#judge(transcript, session);
    this.#lookForLeaks(session);
    const { reconnects, handovers, rollovers, gaps } = session.continuity;
    const { connections } = this.#network;
    const finishMs = this.#finishMs;
    const { peaks } = this.#watch;
    const said = { flaws: this.#flaws, finishMs, peaks, struck: this.#struck };
    const counts = { reconnects, handovers, rollovers, connections, gaps: gaps.length };
    return { ...said, ...counts, limits: this.#limits, lossesBehind: this.#lossesBehind };
  }

  async #left(troubles: readonly Promise<void>[]): Promise<void> {
    await Promise.all([...troubles, this.#sessionsEnded(), this.#network.ended()]);
    await this.#upstream?.close();
    await this.#served();
  }

  async #sessionsEnded(): Promise<void> {
    while (this.#sessions.size > 0) await Promise.all([...this.#sessions].map(({ ended }) => ended));
  }

  async #served(): Promise<void> {
    while (this.#serving.size > 0) await Promise.all(this.#serving);
  }

  /** Nothing that belongs to the session is left when it has ended. */
  #lookForLeaks(session: Session): void {
    const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;
    const held = session.held;
    if (this.#network.open > 0) this.#note(`${this.#network.open} connections are still open`);
    if (pendingTimers() > 0) this.#note(`${pendingTimers()} timers are pending`);
    if (listeners(this.#caller.signal) > 0) this.#note("listeners are left on the caller's signal");
    if (listeners(session.ended) > 0) this.#note("listeners are left on the session's signal");
    if (held.audioBytes > CLIENT_LIMITS.ringPageBytes || held.waitingBytes + held.events > 0) {
      this.#note(`held after the end: ${JSON.stringify(held)}`);
    }
  }

  async #open(): Promise<Session> {
    const { wantsWords, isEarly, sessionMsMax, keepMs, maxModelLen, isLimitKnown, kind } = this.#schedule;
    const options = {
      connect: this.#network.connect,
      words: wantsWords,
      random: new Random(this.#schedule.seed ^ 0x9e3779b9).next,
      reconnect: this.#isLasting && (keepMs === undefined || { keepMs }),
      ...(sessionMsMax === undefined ? {} : { sessionMsMax }),
      // In front of our server it is none: that one begins anew behind it.
      ...(maxModelLen === undefined || !isLimitKnown || kind === 'relayed' ? {} : { maxModelLen }),
    };
    // The first try of `connect` is not repeated, so nothing may break in it: handshake, greeting, model.
    const greeted = this.#schedule.way === 'messages' ? 4 : 4_000;
    return isEarly || this.#schedule.lineFaults[0]?.some(({ at }) => at < greeted) === true
      ? openSession(options)
      : await settle(connect(options, { signal: this.#caller.signal }));
  }

  /** Gives the audio as a microphone or a file does, and waits for the end. */
  async #speak(session: Session): Promise<Transcript> {
    const { feed, chunkMs, endsShare } = this.#schedule;
    const { signal } = this.#caller;
    const audio = makeAudio(this.#speech);
    const pauses = this.#pauses(endsShare);
    const ends: Promise<void>[] = [];
    const sends: Promise<void>[] = [];
    for (let atMs = 0; atMs < this.#speech.lengthMs; atMs += chunkMs) {
      const chunk = audio.subarray(atMs * SAMPLES_PER_MS, (atMs + chunkMs) * SAMPLES_PER_MS);
      if (feed === 'live') await sleep(chunkMs);
      const sending = session.send(chunk, { signal });
      // A microphone does not wait.
      if (feed === 'live') sends.push(quietly(sending));
      else await sending;
      while ((pauses[0] ?? Number.POSITIVE_INFINITY) < atMs) {
        pauses.shift();
        ends.push(quietly(session.endUtterance({ signal })));
      }
    }
    const finishedAtMs = performance.now();
    this.#isFinishing = true;
    const transcript = await session.finish({ signal });
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

  /** Loops over the events, with pauses. Rejects with what the loop throws. */
  async #read(session: Session): Promise<undefined> {
    for await (const event of session) {
      this.#events.push(event);
      const pause = this.#schedule.readerPauses.find(({ at }) => at === this.#events.length);
      if (pause === undefined) continue;
      this.#struck.add('pause');
      await sleep(pause.ms);
    }
    return undefined;
  }

  #serve(connection: Connection): void {
    const { script } = this.#speech;
    const onFlaw = (what: string): void => this.#note(what);
    if (this.#schedule.kind === 'silent') {
      this.#track(serveSilently(connection, { script, onFlaw, traits: this.#traits }));
      return;
    }
    const session = serveConnection(connection, { engine: this.#upstream ?? this.#engine });
    this.#sessions.add(session);
    this.#track(session.ended.then(() => this.#sessions.delete(session)));
  }

  /** The engine of our server in front of one that finds no utterances and tells no positions. */
  #makeUpstream(): SpeechEngine {
    const { script } = this.#speech;
    const { maxModelLen, isLimitKnown, behindLivesMs } = this.#schedule;
    const limit = maxModelLen === undefined || !isLimitKnown ? {} : { maxModelLen };
    const livesMs = [...behindLivesMs];
    return createUpstreamEngine({
      ...limit,
      info: { model: 'behind', languages: [], streamsMax: 100 },
      connect: async () => {
        const { near, far } = createMemoryPair();
        const onFlaw = (what: string): void => this.#note(what);
        this.#track(serveSilently(far, { script, onFlaw, traits: this.#traits }));
        const lifeMs = livesMs.shift();
        if (lifeMs !== undefined) this.#track(sleep(lifeMs).then(() => far.destroy()));
        return near;
      },
      onLoss: () => {
        this.#lossesBehind += 1;
      },
      random: new Random(this.#schedule.seed ^ 0x1b873593).next,
    });
  }

  get #traits(): StandInOptions {
    const { maxModelLen, isLimitKnown, age } = this.#schedule;
    const onLimit = (): void => {
      this.#limits += 1;
      // Whoever does not know it may lose the answer that would tell, too.
      if (isLimitKnown) this.#note('the limit of the model was reached');
    };
    return { age, onLimit, ...(maxModelLen === undefined ? {} : { maxModelLen }) };
  }

  #track(serving: Promise<unknown>): void {
    this.#serving.add(serving);
    void serving.then(() => this.#serving.delete(serving));
  }

  async #trouble(fault: Schedule['serverFaults'][number]): Promise<void> {
    await sleep(fault.atMs);
    if (this.#network.open > 0) this.#struck.add(fault.type);
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
    const heard = { transcript, events: this.#events, gaps: session.continuity.gaps };
    for (const flaw of flawsOf(this.#schedule, wordsOf(this.#speech.script), heard)) this.#note(flaw);
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
