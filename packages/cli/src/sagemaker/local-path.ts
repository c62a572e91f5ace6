import { type Bridge, createBridge } from '@kikitori/bridge';
import type { Logger } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import { DEFAULT_HOST, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import type { Context } from '../context.js';
import { version } from '../program.js';
import type { Announced } from '../terminal/announcement.js';
import { type LocalPage, type LocalPageOptions, startLocalPage } from './local-page.js';
import { linesOf, type StandIn, startStandIn } from './stand-in.js';

/** What the path on this machine is made of. */
export interface LocalPathOptions {
  /** May still be loading; stays the caller's. */
  readonly engine: Promise<SpeechEngine>;
  readonly ports: {
    readonly server: number;
    readonly bridge: number;
    readonly sagemaker: number;
    /** undefined: the usual one, or any free one. */
    readonly page: number | undefined;
  };
  readonly endpoint: string;
  readonly region: string;
  readonly isPlaintext: boolean;
  readonly logger: Logger;
}

/** How often the bridge is asked whether the model is there: somebody watches. */
const HEALTH_INTERVAL_MS = 50;

/** Model server, bridge, stand-in of SageMaker's runtime and live page, one in front of the other, in this process. */
export class LocalPath {
  readonly #options: LocalPathOptions;
  readonly #server: RunningServer;
  readonly #bridge: Bridge;
  readonly #standIn: StandIn;
  readonly #realtimeUrl: string;
  readonly #containerUrl: string;
  #page: LocalPage | undefined;

  private constructor(
    options: LocalPathOptions,
    parts: { readonly server: RunningServer; readonly bridge: Bridge; readonly standIn: StandIn },
    urls: { readonly realtime: string; readonly container: string },
  ) {
    this.#options = options;
    this.#server = parts.server;
    this.#bridge = parts.bridge;
    this.#standIn = parts.standIn;
    this.#realtimeUrl = urls.realtime;
    this.#containerUrl = urls.container;
  }

  /** Takes the ports, the innermost first. Rejects as the parts do, with nothing left open. */
  static async open(options: LocalPathOptions, { env, signal }: Context): Promise<LocalPath> {
    const { engine, ports, endpoint, region, isPlaintext, logger } = options;
    const attach = attachWebSockets;
    const ofServer = { engine, attach, host: DEFAULT_HOST, port: ports.server, version: version() };
    const server = await startServer({ ...ofServer, logger, signal });
    const realtime = `ws://${DEFAULT_HOST}:${server.port}/v1/realtime`;
    const bridge = createBridge({ host: DEFAULT_HOST, port: ports.bridge, upstream: realtime, logger });
    try {
      const container = `ws://${DEFAULT_HOST}:${await bridge.listen()}`;
      const ofRuntime = { port: ports.sagemaker, endpoint, containerUrl: container, isPlaintext, region };
      const standIn = await startStandIn({ ...ofRuntime, logger, healthIntervalMs: HEALTH_INTERVAL_MS }, env);
      return new LocalPath(options, { server, bridge, standIn }, { realtime, container });
    } catch (error) {
      await bridge.close();
      await server.close();
      throw error;
    }
  }

  /** The ports that were really taken. */
  get ports(): readonly number[] {
    return [this.#server.port, Number(new URL(this.#containerUrl).port), this.#standIn.runtime.port];
  }

  /** Resolves once the endpoint is in service; rejects as the engine does, or with the signal's reason. */
  async inService(signal: AbortSignal): Promise<void> {
    await this.#server.ready;
    await this.#standIn.runtime.whenInService({ signal });
  }

  /** Serves the live page in front of all of it. Rejects as the server does. */
  async openPage(model: LocalPageOptions['model'], { factories, signal }: Context): Promise<void> {
    const { endpoint, region, ports, logger } = this.#options;
    const request = { endpoint, region, endpointUrl: this.#standIn.url };
    const connect = await factories.connectToEndpoint(request);
    this.#page = await startLocalPage({ connect, endpoint, model, port: ports.page, logger, signal });
  }

  /** Every address, and the command to try. */
  lines(model: string): readonly Announced[] {
    const page = this.#page;
    return [
      ...(page === undefined
        ? []
        : [{ label: 'Open', value: `http://localhost:${page.port}`, note: 'speak, and read' }]),
      { label: 'Model', value: this.#realtimeUrl, note: model },
      {
        label: 'Container',
        value: `${this.#containerUrl}/invocations-bidirectional-stream`,
        note: 'the bridge',
      },
      ...linesOf(this.#standIn, this.#options.endpoint),
    ];
  }

  /** Ends in order, the innermost first: what is said there goes all the way out before the next one ends. Idempotent. */
  async drain(): Promise<void> {
    await this.#server.drain();
    await this.#bridge.drain();
    await this.#standIn.close();
    await this.#page?.drain();
  }

  /** Ends now. Idempotent. */
  async close(): Promise<void> {
    await this.#page?.close();
    await this.#server.close();
    await this.#bridge.close();
    await this.#standIn.close();
  }
}
