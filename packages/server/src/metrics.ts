import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DoorRefusal } from './doors/doorman.js';
import { type CaptionMetrics, captionMetrics } from './shared-captions/caption-metrics.js';
import type { Upstream } from './upstream.js';

/** Why somebody was not let in. */
export type RefusalReason = DoorRefusal['reason'] | 'busy' | 'draining' | 'upstream' | 'path';
/** Which door audio came through. */
export type AudioSource = 'realtime' | 'file';

/** Every metric of a server, in a registry of its own. No label ever holds text, a key or an address. */
export interface ServerMetrics {
  readonly registry: Registry;
  readonly connectionsActive: Gauge;
  readonly connectionsTotal: Counter;
  readonly connectionDurationS: Histogram;
  readonly sessionsActive: Gauge;
  readonly sessionsMax: Gauge;
  readonly refused: Counter<'reason'>;
  readonly errors: Counter<'code'>;
  readonly audioS: Counter<'source'>;
  readonly words: Counter<'source'>;
  readonly wordLagS: Histogram;
  readonly firstDeltaS: Histogram;
  readonly finalS: Histogram;
  readonly realTimeFactor: Histogram<'source'>;
  readonly files: Counter<'status'>;
  readonly captions: CaptionMetrics;
}

/** What is read at the moment of a scrape. */
export interface MetricSources {
  /** The longest backlog of a running session: audio received and not settled, seconds. */
  readonly audioLagS: () => number;
  /** False: a key file cannot be read. */
  readonly areKeysCurrent: () => boolean;
  /** The model server behind the engine, where there is one. */
  readonly upstream: Upstream | undefined;
}

const CONNECTION_DURATION_BUCKETS_S = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];
/** Around what a listener notices: below 0.2 s nobody does, beyond 2 s everybody does. */
const LAG_BUCKETS_S = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 30];
const FACTOR_BUCKETS = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.1, 1.5, 2, 5];

/** Makes the registry and its metrics; nothing is collected until it is scraped. */
export function createMetrics(sources: MetricSources): ServerMetrics {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: 'kikitori_audio_lag_seconds',
    help: 'Longest backlog of a running session right now: audio received whose words were not all sent, in seconds.',
    registers,
    collect() {
      this.set(sources.audioLagS());
    },
  });
  new Gauge({
    name: 'kikitori_keys_current',
    help: '1; 0 while a key file is unreadable or wrong, a truth value.',
    registers,
    collect() {
      this.set(sources.areKeysCurrent() ? 1 : 0);
    },
  });
  if (sources.upstream !== undefined) addUpstreamMetrics(sources.upstream, registers);
  return {
    registry,
    ...connectionMetrics(registers),
    ...sessionMetrics(registers),
    ...speechMetrics(registers),
    captions: captionMetrics(registers),
  };
}

/** What is known of the model server behind the engine. */
function addUpstreamMetrics(upstream: Upstream, registers: Registry[]): void {
  new Gauge({
    name: 'kikitori_upstream_ready',
    help: '1; 0 while the model server behind this one is away or not well, a truth value.',
    registers,
    collect() {
      this.set(upstream.missing === undefined ? 1 : 0);
    },
  });
  new Counter({
    name: 'kikitori_upstream_failures_total',
    help: 'Ways to the model server behind this one that failed or were lost, by the code of the transport, in connections.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of upstream.losses) this.inc({ code }, count);
    },
  });
}

/** vLLM's three, by its names and with its buckets (vLLM PR 35500), so that its dashboards and scalers work. */
function connectionMetrics(
  registers: Registry[],
): Pick<ServerMetrics, 'connectionsActive' | 'connectionsTotal' | 'connectionDurationS'> {
  return {
    connectionsActive: new Gauge({
      name: 'vllm:websocket_connections_active',
      help: 'WebSocket connections that are open, in connections.',
      registers,
    }),
    connectionsTotal: new Counter({
      name: 'vllm:websocket_connections_total',
      help: 'WebSocket connections accepted since the start, in connections.',
      registers,
    }),
    connectionDurationS: new Histogram({
      name: 'vllm:websocket_connection_duration_seconds',
      help: 'How long WebSocket connections were open, in seconds.',
      buckets: CONNECTION_DURATION_BUCKETS_S,
      registers,
    }),
  };
}

function sessionMetrics(
  registers: Registry[],
): Pick<ServerMetrics, 'sessionsActive' | 'sessionsMax' | 'refused' | 'errors' | 'files'> {
  return {
    sessionsActive: new Gauge({
      name: 'kikitori_sessions_active',
      help: 'Places that are taken: Realtime sessions and files being transcribed, in places.',
      registers,
    }),
    sessionsMax: new Gauge({
      name: 'kikitori_sessions_max',
      help: 'Places there are; one more is refused with 503, in places.',
      registers,
    }),
    refused: new Counter({
      name: 'kikitori_sessions_refused_total',
      help: 'Handshakes and files refused, by reason (busy, draining, upstream, unauthorized, path), in requests.',
      labelNames: ['reason'],
      registers,
    }),
    errors: new Counter({
      name: 'kikitori_errors_total',
      help: 'Error events sent, by code, in events.',
      labelNames: ['code'],
      registers,
    }),
    files: new Counter({
      name: 'kikitori_files_total',
      help: 'Answers about files (POST /v1/audio/transcriptions and its like), by HTTP status (499: the client left), in requests.',
      labelNames: ['status'],
      registers,
    }),
  };
}

function speechMetrics(
  registers: Registry[],
): Pick<ServerMetrics, 'audioS' | 'words' | 'wordLagS' | 'firstDeltaS' | 'finalS' | 'realTimeFactor'> {
  return {
    audioS: new Counter({
      name: 'kikitori_audio_seconds_total',
      help: 'Audio accepted, by source (realtime, file), in seconds.',
      labelNames: ['source'],
      registers,
    }),
    words: new Counter({
      name: 'kikitori_words_total',
      help: 'Words sent, by source (realtime, file), in words.',
      labelNames: ['source'],
      registers,
    }),
    wordLagS: new Histogram({
      name: 'kikitori_word_lag_seconds',
      help: 'From the arrival of the audio in which a word ends to its delta, in seconds.',
      buckets: LAG_BUCKETS_S,
      registers,
    }),
    firstDeltaS: new Histogram({
      name: 'kikitori_time_to_first_delta_seconds',
      help: 'From the first audio of an utterance to its first delta, silence before the first word included, in seconds.',
      buckets: LAG_BUCKETS_S,
      registers,
    }),
    finalS: new Histogram({
      name: 'kikitori_time_to_final_seconds',
      help: 'From the end of an utterance (commit with final) to its done, in seconds.',
      buckets: LAG_BUCKETS_S,
      registers,
    }),
    realTimeFactor: new Histogram({
      name: 'kikitori_real_time_factor',
      help: 'Time from the first audio of an utterance or file to its last word, divided by the length of its audio, a ratio; a live speaker gives 1 or a little more.',
      labelNames: ['source'],
      buckets: FACTOR_BUCKETS,
      registers,
    }),
  };
}
