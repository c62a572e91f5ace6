import { type Clock, type Logger, silentLogger, systemClock } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import type { Connection } from '@kikitori/transport';
import type { Dialect, DialectRequest } from '../dialects/dialect.js';
import { Interpreter } from '../dialects/interpreter.js';
import { DIALECTS } from '../dialects/registry.js';
import { vllm } from '../dialects/vllm/vllm.js';
import { SESSION_LIMITS, type SessionLimits } from '../limits.js';
import type { ServerMetrics } from '../metrics.js';
import { answeredNames } from '../model-aliases.js';
import { SessionDriver } from './driver.js';
import { SessionMeter, type SessionSummary, sumOf } from './meter.js';

/** What a session over any connection needs. */
export interface ServeOptions {
  readonly engine: SpeechEngine;
  /** Names by which clients may call the model, besides `MODEL_ALIASES`. Default: the engine's own. */
  readonly models?: readonly string[];
  /** Bounds that differ from `SESSION_LIMITS`. */
  readonly limits?: Partial<SessionLimits>;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** How a connection was asked for, and what it speaks by that. */
export interface Claimed {
  readonly dialect: Dialect;
  readonly request: DialectRequest;
}

/** What a server adds to its sessions. */
export interface ServerSessionOptions extends ServeOptions {
  /** Default: vLLM's, as over a connection without a handshake. */
  readonly claimed?: Claimed;
  /** Those that may claim the first message. Default: all. */
  readonly dialects?: readonly Dialect[];
  readonly metrics?: ServerMetrics;
  /** Somebody asks for a model by that name, which may be none. */
  readonly onModelAsked?: (name: string) => void;
  /** The engine was closed underneath the session. */
  readonly onEngineClosed?: () => void;
  /** See `DriverOptions`. */
  readonly takePlaces?: (count: number) => (() => void) | undefined;
}

/** How a session ended. */
export interface SessionEnd extends SessionSummary {
  readonly closeCode: number;
}

/** A session that is running. */
export interface Session {
  /** `sess-` and 16 hexadecimal digits: the `id` of `session.created`, safe to log. */
  readonly id: string;
  /** Settles when the session is over and its stream is given back. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  /** Audio received whose words were not all sent, milliseconds. */
  readonly backlogMs: number;
  /** Answers what is running, then closes with 1012; at the deadline closes without the answer. */
  drain(deadlineMs: number): void;
  /** Ends now. */
  destroy(): void;
}

const PLAIN: Claimed = {
  dialect: vllm,
  request: { path: '/v1/realtime', query: '', headers: {}, protocols: [] },
};

/**
 * Speaks vLLM's Realtime protocol on an open connection until it ends: with a network, or over the memory pair inside
 * one process. The connection belongs to the session from here on; the engine stays the caller's. One line is logged
 * at the end, without audio or text.
 */
export function serveConnection(connection: Connection, options: ServeOptions): Session {
  return startSession(connection, options);
}

/** As `serveConnection`, for a session that is counted. */
export function startSession(connection: Connection, options: ServerSessionOptions): Session {
  const { engine, models = [engine.info.model], clock = systemClock, logger = silentLogger } = options;
  /** One for each lane. */
  const meters = [new SessionMeter(clock, options.metrics)];
  const meterOf = (lane: number): SessionMeter => {
    const meter = meters[lane] ?? new SessionMeter(clock, options.metrics);
    meters[lane] = meter;
    return meter;
  };
  const { claimed = PLAIN, dialects = DIALECTS } = options;
  const driver = new SessionDriver({
    connection,
    engine,
    limits: {
      ...SESSION_LIMITS,
      ...options.limits,
      models: answeredNames(models),
      languages: engine.info.languages,
    },
    interpreter: new Interpreter({ ...claimed, dialects }),
    clock,
    logger,
    takePlaces: options.takePlaces,
    observe: (lane, input, effects, nowMs) => {
      meterOf(lane).observe(input, effects, nowMs);
      if (input.type === 'configure') options.onModelAsked?.(input.model);
      if (input.type === 'engine-lost') logLoss(logger, driver.id, input.code);
      if (input.type === 'engine-lost' && input.code === 'engine_closed') options.onEngineClosed?.();
    },
  });
  const ended = driver.run().then((closeCode): SessionEnd => {
    const end = { ...sumOf(meters.map((meter) => meter.summary(clock.nowMs()))), closeCode };
    logEnd(logger, driver.id, end);
    return end;
  });
  return {
    id: driver.id,
    ended,
    get backlogMs() {
      return Math.max(...meters.map(({ backlogMs }) => backlogMs));
    },
    drain: (deadlineMs) => driver.drain(deadlineMs),
    destroy: () => driver.destroy(),
  };
}

function logLoss(logger: Logger, session: string, code: string): void {
  logger.warn('The engine failed a session.', { session, code });
}

function logEnd(logger: Logger, session: string, end: SessionEnd): void {
  logger.info('Session ended.', {
    session,
    durationS: Math.round(end.durationMs) / 1000,
    audioS: Math.round(end.audioMs) / 1000,
    utterances: end.utterances,
    words: end.words,
    lagP95Ms: end.lagP95Ms,
    closeCode: end.closeCode,
  });
}
