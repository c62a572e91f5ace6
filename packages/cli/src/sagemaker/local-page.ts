import type { Logger } from '@kikitori/core';
import type { EngineInfo } from '@kikitori/engine';
import {
  DEFAULT_HOST,
  DEFAULT_PORT,
  loadPages,
  type RunningServer,
  ServerError,
  type StartServerOptions,
  startServer,
} from '@kikitori/server';
import type { Connect } from '@kikitori/transport';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import { version } from '../program.js';

/** What the page in front of the path is made of. */
export interface LocalPageOptions {
  /** undefined: the usual one, or any free one where that is taken. */
  readonly port: number | undefined;
  /** The way to the endpoint, signed as every client's. */
  readonly connect: Connect;
  readonly endpoint: string;
  /** What is at the other end: here it is known. */
  readonly model: Pick<EngineInfo, 'model' | 'languages'>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Serves the live page, and relays what is spoken into it the whole way: signed, over HTTP/2, through the bridge. Rejects
 * as `startServer` does.
 */
export async function startLocalPage(options: LocalPageOptions): Promise<RunningServer> {
  const { connect, endpoint, port, logger, signal } = options;
  const { model, languages } = options.model;
  const label = `the SageMaker endpoint ${endpoint}, played on this machine`;
  const start = async (taken: number): Promise<RunningServer> => {
    const ofServer: StartServerOptions = {
      relay: { connect, label, languages },
      models: [model],
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
