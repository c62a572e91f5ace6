import type { SpeechEngine } from '@kikitori/engine';
import { languageList } from '@kikitori/protocol/languages';
import type { ModelFetch, PendingEngine, Upstream } from '@kikitori/server';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { deferEngine } from '../session/deferred-engine.js';
import { startEngine } from '../session/start-engine.js';
import { createDisplay } from '../terminal/display.js';
import { processors } from '../terminal/figures.js';
import { answerByEndpoint, answerByServer } from './upstream-answerer.js';

/** Who answers sessions, and how to get it ready once the port is taken. */
export interface Answerer {
  readonly source: PendingEngine & { readonly upstream?: Upstream };
  /** What is said while it gets ready. */
  readonly listening: string;
  /** Resolves with a description. */
  readonly load: () => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Which recogniser, as the flags say it. */
export interface AnswererRequest {
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
  readonly upstream: string | undefined;
  readonly upstreamKey: string | undefined;
  readonly model: string | undefined;
  readonly threads: number | undefined;
  readonly delayMs: number | undefined;
  /** Sessions and files at once. */
  readonly places: number | undefined;
  /** How long a session waits for another server that is away. */
  readonly waitMs: number;
  /** Models as the user named them, the first one first; then another server need not be asked. */
  readonly names: readonly string[];
}

/** The engine of this process, a SageMaker endpoint, or another Realtime server. Rejects with `CliError`. */
export async function chooseAnswerer(request: AnswererRequest, context: Context): Promise<Answerer> {
  const { endpoint, upstream, region, endpointUrl } = request;
  if (endpoint !== undefined && upstream !== undefined) {
    throw new CliError('usage', 'Give either --endpoint or --upstream: sessions go to one place.');
  }
  if (endpoint === undefined && (region !== undefined || endpointUrl !== undefined)) {
    throw new CliError('usage', '--region and --endpoint-url belong to an --endpoint; name one.');
  }
  if (endpoint !== undefined) return await answerByEndpoint(endpoint, request, context);
  if (upstream !== undefined) return await answerByServer(upstream, request, context);
  return embedded(request, context);
}

function embedded(request: AnswererRequest, context: Context): Answerer {
  let fetching: ModelFetch | undefined;
  const onFetch = (progress: ModelFetch): void => {
    // What has come is loaded next.
    fetching = progress.receivedBytes < progress.totalBytes ? progress : undefined;
  };
  const engine = deferEngine(() => loadEngine({ ...request, onFetch }, context));
  return {
    source: { engine: engine.loaded, fetching: () => fetching },
    listening: 'loading the model…',
    load: async () => {
      engine.load();
      const { model, languages, streamsMax } = (await engine.loaded).info;
      const hears = languages.length === 0 ? '' : `hears ${languageList(languages)}, `;
      return `${model}, ${hears}${streamsMax} speaker${streamsMax === 1 ? '' : 's'} at once${await shareOf()}`;
    },
    close: () => engine.close(),
  };
}

/** Whoever gives a container a part of a processor should see that it is counted, and why there are so few places. */
async function shareOf(): Promise<string> {
  const { machineShare } = await import('@kikitori/engine');
  const { cores } = machineShare();
  return Number.isInteger(cores) ? '' : ` on ${processors(cores)}`;
}

async function loadEngine(
  request: AnswererRequest & { readonly onFetch: (progress: ModelFetch) => void },
  context: Context,
): Promise<SpeechEngine> {
  const display = createDisplay(context);
  try {
    const { model, threads, delayMs, places: streamsMax, onFetch } = request;
    return await startEngine(
      { model, threads, delayMs, streamsMax, onFetch, signal: context.signal },
      context,
      display,
    );
  } finally {
    display.close();
  }
}
