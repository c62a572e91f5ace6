import type { ServedModel } from '@kikitori/client';
import type { SpeechEngine, VoiceDetector } from '@kikitori/engine';
import type { UpstreamError, UpstreamWatch } from '@kikitori/engine-upstream';
import type { Upstream } from '@kikitori/server';
import type { Connect } from '@kikitori/transport';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { ENDPOINT_SESSION_MS } from '../limits.js';
import { deferEngine } from '../session/deferred-engine.js';
import { remark } from '../terminal/beside.js';
import type { Answerer, AnswererRequest } from './answerer.js';

/** Sessions go to a SageMaker endpoint, for clients that cannot sign for it: this server never sees a model. */
export async function answerByEndpoint(
  endpoint: string,
  request: AnswererRequest,
  context: Context,
): Promise<Answerer> {
  refuseModel('An --endpoint', request);
  const { region, endpointUrl, places, waitMs, names } = request;
  const connect = await context.factories.connectToEndpoint({ endpoint, region, endpointUrl });
  const { createUpstreamEngine, UPSTREAM_LIMITS } = await import('@kikitori/engine-upstream');
  const { upstream, noteLoss } = unwatched(`the SageMaker endpoint ${endpoint}`);
  const streamsMax = places ?? UPSTREAM_LIMITS.streamsMax;
  const [model] = names;
  const description = `sessions go to ${upstream.label}, ${placesText(streamsMax)} at once`;
  const engine = deferEngine(async () => {
    const voice = await voiceOf(context);
    return createUpstreamEngine({
      info: { model: model ?? endpoint, languages: [], streamsMax },
      connect,
      waitMs,
      sessionMsMax: ENDPOINT_SESSION_MS,
      onLoss: noteLoss,
      ...(model === undefined ? {} : { model }),
      ...(voice === undefined ? {} : { voice }),
    });
  });
  return {
    source: { engine: engine.loaded, upstream },
    listening: `${description}.`,
    load: async () => {
      engine.load();
      await engine.loaded;
      return description;
    },
    close: () => engine.close(),
  };
}

/** What is told of a model server that nobody watches over. */
export function unwatched(label: string): {
  readonly upstream: Upstream;
  readonly noteLoss: (code: string) => void;
} {
  const losses = new Map<string, number>();
  return {
    upstream: { label, missing: undefined, maxModelLen: undefined, losses },
    noteLoss: (code) => void losses.set(code, (losses.get(code) ?? 0) + 1),
  };
}

/** Sessions go to another Realtime server, such as vLLM: behind this one's keys and limits, with its metrics and page. */
export async function answerByServer(
  url: string,
  request: AnswererRequest,
  context: Context,
): Promise<Answerer> {
  refuseModel('An --upstream', request);
  const { upstreamKey: apiKey, names } = request;
  const { stderr, factories, clock } = context;
  const { host } = new URL(url);
  const connect = await factories.connect();
  const { UpstreamWatch } = await import('@kikitori/engine-upstream');
  const watch = new UpstreamWatch({
    url,
    connect,
    label: 'another server',
    clock,
    onChange: (missing) => remark(changeText(host, missing), stderr),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(names[0] === undefined ? {} : { model: names[0] }),
  });
  let description = '';
  const engine = deferEngine(async () => {
    const started = await startUpstream({ url, request, connect, watch }, context);
    description = started.description;
    return started.engine;
  });
  return {
    source: { engine: engine.loaded, upstream: watch },
    listening: `waiting for the model server at ${host}…`,
    load: async () => {
      engine.load();
      await engine.loaded;
      return description;
    },
    close: async () => {
      await watch.close();
      await engine.close();
    },
  };
}

interface UpstreamStart {
  readonly url: string;
  readonly request: AnswererRequest;
  readonly connect: Connect;
  readonly watch: UpstreamWatch;
}

/** Waits for the server, and finds out how much it carries. */
async function startUpstream(
  { url, request, connect, watch }: UpstreamStart,
  context: Context,
): Promise<{ readonly engine: SpeechEngine; readonly description: string }> {
  const { createUpstreamEngine } = await import('@kikitori/engine-upstream');
  const { upstreamKey: apiKey, waitMs } = request;
  const { id, languages, maxModelLen } = await modelOf(watch, url, context.signal);
  const { places, because } = await placesOf(request, watch, maxModelLen);
  const voice = await voiceOf(context);
  const engine = createUpstreamEngine({
    info: { model: id, languages, streamsMax: places },
    connect,
    url,
    model: id,
    waitMs,
    onLoss: (code) => watch.noteLoss(code),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(maxModelLen === undefined ? {} : { maxModelLen }),
    ...(voice === undefined ? {} : { voice }),
  });
  const description = `sessions go to ${new URL(url).host} (${id}), ${placesText(places)} at once${because}`;
  return { engine, description };
}

async function placesOf(
  { places }: AnswererRequest,
  watch: UpstreamWatch,
  maxModelLen: number | undefined,
): Promise<{ readonly places: number; readonly because: string }> {
  if (places !== undefined) return { places, because: '' };
  const { RELAY_ENDPOINT_RULES, UPSTREAM_LIMITS } = await import('@kikitori/engine-upstream');
  const utteranceMsMax = RELAY_ENDPOINT_RULES.find(({ name }) => name === 'limit')?.utteranceMsMin ?? 0;
  const found = await watch.places({ maxModelLen, utteranceMsMax });
  if (found !== undefined) return { places: found.places, because: `: ${found.because}` };
  return { places: UPSTREAM_LIMITS.streamsMax, because: ': its metrics do not say how many it carries' };
}

/** Silero as in the embedded engine; where it cannot be had, loudness has to do. */
async function voiceOf({ factories, signal, stderr }: Context): Promise<VoiceDetector | undefined> {
  try {
    return await factories.createVoiceDetector({ signal });
  } catch {
    signal.throwIfAborted();
    remark(
      'The voice detector could not be loaded: for a model that finds no pauses itself they are found by loudness.',
      stderr,
    );
    return undefined;
  }
}

function refuseModel(what: string, { model, threads, delayMs }: AnswererRequest): void {
  if (model === undefined && threads === undefined && delayMs === undefined) return;
  throw new CliError('usage', `${what} has a model of its own; leave --model, --threads and --delay-ms out.`);
}

function placesText(places: number): string {
  return `${places} speaker${places === 1 ? '' : 's'}`;
}

/** What the person who watches is told when the other server comes or goes. */
function changeText(host: string, missing: string | undefined): string {
  if (missing === undefined) return `The model server at ${host} is there.`;
  return `Waiting for the model server at ${host}: nobody is let in until it answers.`;
}

/** Clients ask `/v1/models` for the name that they must say, so it has to be the other server's; what it hears, too. */
async function modelOf(watch: UpstreamWatch, url: string, signal: AbortSignal): Promise<ServedModel> {
  const { UpstreamError } = await import('@kikitori/engine-upstream');
  try {
    return await watch.found(signal);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    throw new CliError('service_failed', refusalText(error, url), { cause: error });
  }
}

/** What the other server did not accept, and what to do. */
function refusalText({ code }: UpstreamError, url: string): string {
  const { host, username, password } = new URL(url);
  switch (code) {
    case 'key_wrong':
      return `The server at ${host} does not know this key; correct KIKITORI_UPSTREAM_KEY.`;
    case 'key_missing':
      return `${username}${password}` === ''
        ? `The server at ${host} wants a key; set KIKITORI_UPSTREAM_KEY.`
        : `The server at ${host} does not accept the name and the password in its address; correct them in --upstream, with what is special in them as %XX, or set KIKITORI_UPSTREAM_KEY if it wants a key.`;
    case 'keys_broken':
      return `The server at ${host} answers every session with an error of its own (HTTP 500) although it takes the key elsewhere: vLLM up to 0.19 breaks on sessions when it has a key. Start it without --api-key, and let this server ask for keys.`;
    case 'no_models':
      return `The server at ${host} does not say which model it serves; check --upstream, or name the model with --served-model-name.`;
    case 'no_realtime':
      return `The server at ${host} takes no Realtime sessions; check --upstream, and that its model can do that.`;
  }
}
