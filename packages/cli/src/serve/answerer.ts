import type { ServedModel } from '@kikitori/client';
import { proxySentence } from '@kikitori/core/hub';
import type { SpeechEngine } from '@kikitori/engine';
import { languageList } from '@kikitori/protocol/languages';
import type { ModelFetch, PendingEngine, RelayTarget } from '@kikitori/server';
import type { Connect } from '@kikitori/transport';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { deferEngine } from '../session/deferred-engine.js';
import { startEngine } from '../session/start-engine.js';
import { createDisplay } from '../terminal/display.js';
import { processors } from '../terminal/figures.js';

/** Who answers sessions, and how to get it ready once the port is taken. */
export interface Answerer {
  readonly source: PendingEngine | { readonly relay: RelayTarget };
  /** Names that `/v1/models` lists where the user gave none; undefined: the engine's own. */
  readonly models?: readonly string[];
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
  readonly maxSessions: number | undefined;
  /** The user named the models to list; the upstream need not be asked. */
  readonly hasNames: boolean;
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
  if (endpoint !== undefined) return await relayToEndpoint(endpoint, request, context);
  if (upstream !== undefined) return await relayToServer(upstream, request, context);
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
    const { model, threads, delayMs, maxSessions: streamsMax, onFetch } = request;
    return await startEngine(
      { model, threads, delayMs, streamsMax, onFetch, signal: context.signal },
      context,
      display,
    );
  } finally {
    display.close();
  }
}

/** Sessions go to a SageMaker endpoint, for clients that cannot sign for it: this server never sees a model. */
async function relayToEndpoint(
  endpoint: string,
  request: AnswererRequest,
  { factories }: Context,
): Promise<Answerer> {
  refuseModel('An --endpoint', request);
  const { region, endpointUrl } = request;
  const connect = await factories.connectToEndpoint({ endpoint, region, endpointUrl });
  const label = `the SageMaker endpoint ${endpoint}`;
  return relay({ connect, label }, request, `sessions go to ${label}`);
}

/** Sessions go to another Realtime server, such as vLLM: behind this one's keys and limits, with its metrics and page. */
async function relayToServer(
  upstream: string,
  request: AnswererRequest,
  { factories, signal }: Context,
): Promise<Answerer> {
  refuseModel('An --upstream', request);
  const { upstreamKey: apiKey, hasNames } = request;
  const served = hasNames ? undefined : await modelOf(upstream, apiKey, signal);
  const { languages = [] } = served ?? {};
  const connect = await factories.connect();
  const description = `sessions go to ${new URL(upstream).host}${served === undefined ? '' : ` (${served.id})`}`;
  const { realtimeUrl } = await import('@kikitori/client');
  const target = {
    connect: withKey(connect, apiKey),
    url: realtimeUrl({ url: upstream }),
    label: 'another server',
    languages,
  };
  return { ...relay(target, request, description), ...(served === undefined ? {} : { models: [served.id] }) };
}

function relay(target: RelayTarget, { maxSessions }: AnswererRequest, description: string): Answerer {
  return {
    source: { relay: { ...target, ...(maxSessions === undefined ? {} : { sessionsMax: maxSessions }) } },
    listening: `${description}.`,
    load: async () => description,
    close: async () => {
      // Nothing is held beside the sessions, which are the server's.
    },
  };
}

function refuseModel(what: string, { model, threads, delayMs }: AnswererRequest): void {
  if (model === undefined && threads === undefined && delayMs === undefined) return;
  throw new CliError('usage', `${what} has a model of its own; leave --model, --threads and --delay-ms out.`);
}

/** Clients ask `/v1/models` for the name that they must say, so it has to be the other server's; what it hears, too. */
async function modelOf(
  upstream: string,
  apiKey: string | undefined,
  signal: AbortSignal,
): Promise<ServedModel> {
  const { ClientError, servedModels } = await import('@kikitori/client');
  try {
    const [first] = await servedModels(upstream, { signal, ...(apiKey === undefined ? {} : { apiKey }) });
    return first;
  } catch (error) {
    if (!(error instanceof ClientError) || error.code === 'aborted') throw error;
    const { host } = new URL(upstream);
    if (error.httpStatus === 401) {
      throw new CliError('service_failed', refusal(upstream, apiKey), { cause: error });
    }
    throw new CliError(
      'service_failed',
      proxySentence(error) ??
        `The server at ${host} does not say which model it serves; start it first, check --upstream and KIKITORI_UPSTREAM_KEY, or name the model with --served-model-name.`,
      { cause: error },
    );
  }
}

/** What the other server did not accept. */
function refusal(upstream: string, apiKey: string | undefined): string {
  const { host, username, password } = new URL(upstream);
  if (apiKey !== undefined) {
    return `The server at ${host} does not know this key; correct KIKITORI_UPSTREAM_KEY.`;
  }
  return `${username}${password}` === ''
    ? `The server at ${host} wants a key; set KIKITORI_UPSTREAM_KEY.`
    : `The server at ${host} does not accept the name and the password in its address; correct them in --upstream, with what is special in them as %XX, or set KIKITORI_UPSTREAM_KEY if it wants a key.`;
}

function withKey(connect: Connect, apiKey: string | undefined): Connect {
  if (apiKey === undefined) return connect;
  return (options) =>
    connect({ ...options, headers: { ...options.headers, authorization: `Bearer ${apiKey}` } });
}
