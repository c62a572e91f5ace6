import type { Logger } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import { DEFAULT_HOST, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { version } from '../program.js';
import { type DeferredEngine, deferEngine } from '../session/deferred-engine.js';
import { type Answering, neverLost, type PathEnd } from './path-end.js';

/** What an engine at the end of the path needs. */
export interface EmbeddedEndOptions {
  readonly loadEngine: () => Promise<SpeechEngine>;
  readonly port: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** The embedded engine behind our own server, in this process. */
export class EmbeddedEnd implements PathEnd {
  readonly realtimeUrl: string;
  readonly port: number;
  readonly doing = 'loading the model';
  readonly startMsMax = undefined;
  readonly lost = neverLost;
  readonly #engine: DeferredEngine;
  readonly #server: RunningServer;

  private constructor(engine: DeferredEngine, server: RunningServer) {
    this.#engine = engine;
    this.#server = server;
    this.port = server.port;
    this.realtimeUrl = `ws://${DEFAULT_HOST}:${server.port}/v1/realtime`;
  }

  /** Takes the port. Rejects as `startServer` does. */
  static async open({ loadEngine, port, logger, signal }: EmbeddedEndOptions): Promise<EmbeddedEnd> {
    const engine = deferEngine(loadEngine);
    const ofServer = { engine: engine.loaded, attach: attachWebSockets, host: DEFAULT_HOST, port };
    const server = await startServer({ ...ofServer, version: version(), logger, signal });
    return new EmbeddedEnd(engine, server);
  }

  isLoading(): boolean {
    // The server of this engine says so itself.
    return false;
  }

  async start(): Promise<Answering> {
    this.#engine.load();
    const { info } = await this.#engine.loaded;
    await this.#server.ready;
    const { model, streamsMax } = info;
    const description = `${model}, ${streamsMax} speaker${streamsMax === 1 ? '' : 's'} at once`;
    return { model: info, description };
  }

  async drain(): Promise<void> {
    await this.#server.drain();
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.#engine.close();
  }
}
