import { type ConnectOptions, connect, type ServedModel, type Session } from '@kikitori/client';
import type { SpeechEngine } from '@kikitori/engine';
import { type Connect, createMemoryPair } from '@kikitori/transport';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { ENDPOINT_CONNECT_MS, ENDPOINT_SESSION_MS } from '../limits.js';
import type { Display } from '../terminal/display.js';
import { asCliError } from './client-failure.js';
import { assertHeard, servedHearing, tellHearing } from './hearing.js';
import { joinLinks } from './lane-links.js';
import type { SpeechLink } from './link.js';
import { startEngine } from './start-engine.js';

/** Which recogniser. */
export interface LinkRequest {
  /** A Realtime server; undefined: the embedded engine, in this process. */
  readonly url: string | undefined;
  /** A SageMaker endpoint instead of a URL. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
  readonly apiKey: string | undefined;
  /** With `url` the served name, otherwise which model to load; undefined: the default of either. */
  readonly model: string | undefined;
  /** What is spoken, as the user wrote it; undefined: the model finds out. */
  readonly language?: string | undefined;
  /** How long words may wait; undefined: as the recogniser thinks right. */
  readonly delayMs?: number | undefined;
  /** How long to wait for a server that is away, seconds; undefined: one try. */
  readonly wait?: number | undefined;
  /** Tokens that its model bears in one utterance; undefined: the server is asked. */
  readonly maxModelLen?: number | undefined;
}

/**
 * Opens a session with a server, or with an engine of our own: that one speaks the same protocol through memory, so
 * both ways run the same code. Rejects with `CliError`, `EngineError` or the signal's reason.
 */
export function openLink(request: LinkRequest, context: Context, display: Display): Promise<SpeechLink> {
  return openLinks(request, 1, context, display);
}

/** The same for so many lanes, which are one link to whoever sends: each is a session of its own. */
export async function openLinks(
  request: LinkRequest,
  laneCount: number,
  context: Context,
  display: Display,
): Promise<SpeechLink> {
  const partials = display.isLive;
  const { url, apiKey, model, language, delayMs, wait, maxModelLen } = request;
  const connect = await connectOf(request, context);
  if (connect === undefined) {
    refuseServerFlags(request);
    return await openEmbedded(request, { partials, laneCount }, context, display);
  }
  const ask = async (at: string): Promise<ServedModel | undefined> =>
    await servedHearing({ ...request, url: at }, context.signal);
  const hearing = url === undefined ? undefined : ask(url);
  // A server that had to be waited for was not there to be asked the first time.
  const limit =
    maxModelLen ??
    (url === undefined ? undefined : async () => ((await hearing) ?? (await ask(url)))?.maxModelLen);
  const options = {
    words: true,
    partials,
    connect,
    ...(url === undefined
      ? { connectTimeoutMs: ENDPOINT_CONNECT_MS, sessionMsMax: ENDPOINT_SESSION_MS }
      : { url }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(model === undefined ? {} : { model }),
    ...(language === undefined ? {} : { language }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(wait === undefined ? {} : { waitMs: wait * 1000, onWait: waitingNote(wait, context, display) }),
    ...(limit === undefined ? {} : { maxModelLen: limit }),
  };
  const sessions = await openEach(laneCount, (lane) => openLaneSession(options, lane, context));
  const { id = '', languages = [] } = (await hearing) ?? {};
  tellHearing(id, languages, display);
  // Nothing but the sessions was opened.
  const told = { languages, hasKey: apiKey !== undefined };
  return joinLinks(sessions.map((session) => linkOf(session, told, async () => undefined)));
}

/** The engine of this process is there or it is not, and bears whatever is said. */
function refuseServerFlags({ wait, maxModelLen }: LinkRequest): void {
  if (wait === undefined && maxModelLen === undefined) return;
  throw new CliError('usage', '--wait and --max-model-len belong to a server; name one with --url.');
}

/** Says what is waited for: once in a pipe, again and again where somebody looks. */
function waitingNote(waitS: number, { clock }: Context, display: Display): () => void {
  const sinceMs = clock.nowMs();
  let isNoted = false;
  return () => {
    if (!isNoted) display.note(`The server is not there yet; it is waited for, for ${waitS} s at most.`);
    isNoted = true;
    const seconds = Math.round((clock.nowMs() - sinceMs) / 1000);
    display.status(() => `Waiting for the server: ${seconds} s of ${waitS}`);
  };
}

/** All of them, one after the other, or none. */
async function openEach<T extends { close(): Promise<void> }>(
  count: number,
  open: (lane: number) => Promise<T>,
): Promise<readonly T[]> {
  const opened: T[] = [];
  try {
    for (let lane = 0; lane < count; lane += 1) opened.push(await open(lane));
    return opened;
  } catch (error) {
    await Promise.all(opened.map((each) => each.close()));
    throw error;
  }
}

/** Each lane takes a place of the server, as any session does: it may have had one left. */
async function openLaneSession(options: ConnectOptions, lane: number, context: Context): Promise<Session> {
  try {
    return await openSession(options, context);
  } catch (error) {
    if (lane === 0 || context.signal.aborted || !(error instanceof CliError)) throw error;
    throw new CliError(
      error.code,
      `${error.message.replace(/\.$/, '')}. Each channel takes a place of the server, and this was number ${lane + 1}; --channels 1, then --channels 2, takes one at a time.`,
      { cause: error },
    );
  }
}

/** The way to a recogniser somewhere else; undefined: there is none, it runs in this process. */
async function connectOf(request: LinkRequest, { factories }: Context): Promise<Connect | undefined> {
  const { url, endpoint, region, endpointUrl } = request;
  if (endpoint !== undefined && url !== undefined) {
    throw new CliError('usage', 'Give either --url or --endpoint: audio goes to one place.');
  }
  if (endpoint === undefined && (region !== undefined || endpointUrl !== undefined)) {
    throw new CliError('usage', '--region and --endpoint-url belong to an --endpoint; name one.');
  }
  if (endpoint !== undefined) return await factories.connectToEndpoint({ endpoint, region, endpointUrl });
  return url === undefined ? undefined : await factories.connect();
}

async function openEmbedded(
  { model, language, delayMs }: LinkRequest,
  { partials, laneCount }: { readonly partials: boolean; readonly laneCount: number },
  context: Context,
  display: Display,
): Promise<SpeechLink> {
  const { signal } = context;
  await assertHeard(language, model, context);
  // One speaker is decoded by one thread at a time; a second one would only take memory and time to load. Of two people who
  // talk to each other mostly one speaks.
  const engine = await startEngine({ model, threads: 1, streamsMax: laneCount, signal }, context, display);
  try {
    const { info } = engine;
    tellHearing(info.model, info.languages, display);
    const options = { partials, language, delayMs };
    const links = await openEach(laneCount, () => openMemoryLink(engine, options, context));
    const joined = joinLinks(links);
    const close = async (): Promise<void> => {
      await joined.close();
      await engine.close();
    };
    return { ...joined, close };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** A session with an engine in this process, which stays open. Rejects as `openLink`. */
export async function openMemoryLink(
  engine: SpeechEngine,
  options: {
    readonly partials: boolean;
    readonly language?: string | undefined;
    readonly delayMs?: number | undefined;
  },
  context: Context,
): Promise<SpeechLink> {
  // Half of the time that a command takes to start, which one that speaks to a server need not spend.
  const { serveConnection } = await import('@kikitori/server');
  const pair = createMemoryPair();
  // A pipe may be silent for as long as it likes: nobody else waits for its place.
  const served = serveConnection(pair.far, { engine, limits: { idleTimeoutMs: 0, firstMessageMs: 0 } });
  try {
    const { partials, language, delayMs } = options;
    const session = await openSession(
      // There is one engine and one way to it: what ends it is not mended by another try.
      {
        connect: async () => pair.near,
        words: true,
        partials,
        reconnect: false,
        ...(language === undefined ? {} : { language }),
        ...(delayMs === undefined ? {} : { delayMs }),
      },
      context,
    );
    return linkOf(session, { languages: engine.info.languages, hasKey: false }, async () => {
      await served.ended;
    });
  } catch (error) {
    served.destroy();
    await served.ended;
    throw error;
  }
}

async function openSession(options: ConnectOptions, { signal }: Context): Promise<Session> {
  try {
    return await connect(options, { signal });
  } catch (error) {
    throw asCliError(error, { hasKey: options.apiKey !== undefined });
  }
}

function linkOf(
  session: Session,
  facts: Pick<SpeechLink, 'languages' | 'hasKey'>,
  closeRest: () => Promise<void>,
): SpeechLink {
  return {
    ...facts,
    heard: session,
    send: (samples) => session.send(samples),
    finish: async (options) => {
      await session.finish(options);
    },
    close: async () => {
      await session.close();
      await closeRest();
    },
  };
}
