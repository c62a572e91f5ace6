import type { Logger } from '@kikitori/core';
import type { EngineInfo, SpeechEngine } from '@kikitori/engine';
import { createUpstreamEngine, UPSTREAM_LIMITS } from '@kikitori/engine-upstream';
import {
  DEFAULT_HOST,
  DEFAULT_PORT,
  loadPages,
  type RunningServer,
  ServerError,
  type StartServerOptions,
  startServer,
  type Upstream,
} from '@kikitori/server';
import type { Connect } from '@kikitori/transport';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import { ENDPOINT_SESSION_MS } from '../limits.js';
import { version } from '../program.js';
import { unwatched } from '../serve/upstream-answerer.js';

/** What the page in front of the path is made of. */
export interface LocalPageOptions {
  /** undefined: the usual one, or any free one where that is taken. */
  readonly port: number | undefined;
  /** The way to the endpoint, signed as every client's. */
  readonly connect: Connect;
  readonly endpoint: string;
  /** What is at the other end: here it is known, though an endpoint has no way to say it. */
  readonly model: Pick<EngineInfo, 'model' | 'languages'> & { readonly maxModelLen?: number | undefined };
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** The page and what answers it. */
export interface LocalPage {
  readonly port: number;
  /** Ends in order. Idempotent. */
  drain(): Promise<void>;
  /** Ends now. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves the live page; what is spoken into it goes the whole way: signed, over HTTP/2, through the bridge. Rejects
 * as `startServer` does.
 */
export async function startLocalPage(options: LocalPageOptions): Promise<LocalPage> {
  const { connect, endpoint } = options;
  const { model, languages, maxModelLen } = options.model;
  const { upstream, noteLoss } = unwatched(`the SageMaker endpoint ${endpoint}, played on this machine`);
  const engine = createUpstreamEngine({
    info: { model, languages, streamsMax: UPSTREAM_LIMITS.streamsMax },
    connect,
    ...(maxModelLen === undefined ? {} : { maxModelLen }),
    sessionMsMax: ENDPOINT_SESSION_MS,
    onLoss: noteLoss,
  });
  const server = await listen(options, engine, upstream).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  const ended = (ending: Promise<void>): Promise<void> => ending.finally(() => engine.close());
  return {
    port: server.port,
    drain: () => ended(server.drain()),
    close: () => ended(server.close()),
  };
}

async function listen(
  options: LocalPageOptions,
  engine: SpeechEngine,
  upstream: Upstream,
): Promise<RunningServer> {
  const { port, logger, signal } = options;
  const start = async (taken: number): Promise<RunningServer> => {
    const ofServer: StartServerOptions = {
      engine,
      upstream,
      pages: await loadPages(PAGES_FOLDER),
      attach: attachWebSockets,
      host: DEFAULT_HOST,
      port: taken,
      version: version(),
      logger,
      signal,
    };
    return await startServer(ofServer);
  };
  try {
    return await start(port ?? DEFAULT_PORT);
  } catch (error) {
    const isTaken = error instanceof ServerError && error.code === 'port_in_use';
    if (!isTaken || port !== undefined) throw error;
    return await start(0);
  }
}
