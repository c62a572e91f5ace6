import { type Bridge, createBridge } from '@kikitori/bridge';
import type { Logger } from '@kikitori/core';
import { DEFAULT_HOST } from '@kikitori/server';
import type { Context } from '../context.js';
import type { Announced } from '../terminal/announcement.js';
import { type LocalPage, type LocalPageOptions, startLocalPage } from './local-page.js';
import type { PathEnd } from './path-end.js';
import { linesOf, type StandIn, startStandIn } from './stand-in.js';

/** What the path on this machine is made of. */
export interface LocalPathOptions {
  /** Who answers; stays the caller's. */
  readonly end: PathEnd;
  readonly ports: {
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

/** How often the bridge is asked whether the model is there: somebody watches. What loads for minutes is asked more rarely. */
const HEALTH_INTERVAL_MS = 50;
const SLOW_HEALTH_INTERVAL_MS = 500;

/** Bridge, stand-in of SageMaker's runtime and live page, one in front of the other, in this process; at the end who answers. */
export class LocalPath {
  readonly #options: LocalPathOptions;
  readonly #bridge: Bridge;
  readonly #standIn: StandIn;
  readonly #containerUrl: string;
  #page: LocalPage | undefined;

  private constructor(
    options: LocalPathOptions,
    parts: { readonly bridge: Bridge; readonly standIn: StandIn },
    containerUrl: string,
  ) {
    this.#options = options;
    this.#bridge = parts.bridge;
    this.#standIn = parts.standIn;
    this.#containerUrl = containerUrl;
  }

  /** Takes the ports, the innermost first. Rejects as the parts do, with nothing left open. */
  static async open(options: LocalPathOptions, { env }: Context): Promise<LocalPath> {
    const { end, ports, endpoint, region, isPlaintext, logger } = options;
    const bridge = createBridge({
      host: DEFAULT_HOST,
      port: ports.bridge,
      upstream: end.realtimeUrl,
      isModelLoading: () => end.isLoading(),
      logger,
    });
    try {
      const container = `ws://${DEFAULT_HOST}:${await bridge.listen()}`;
      const ofRuntime = { port: ports.sagemaker, endpoint, containerUrl: container, isPlaintext, region };
      const { startMsMax } = end;
      const ofHealth =
        startMsMax === undefined
          ? { healthIntervalMs: HEALTH_INTERVAL_MS }
          : { healthIntervalMs: SLOW_HEALTH_INTERVAL_MS, healthWindowMs: startMsMax };
      const standIn = await startStandIn({ ...ofRuntime, logger, ...ofHealth }, env);
      return new LocalPath(options, { bridge, standIn }, container);
    } catch (error) {
      await bridge.close();
      throw error;
    }
  }

  /** The ports that were really taken. */
  get ports(): readonly number[] {
    const { port } = this.#options.end;
    const own = [Number(new URL(this.#containerUrl).port), this.#standIn.runtime.port];
    return port === undefined ? own : [port, ...own];
  }

  /** Resolves once the endpoint is in service, behind an end that answers; rejects with the signal's reason. */
  async inService(signal: AbortSignal): Promise<void> {
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
      { label: 'Model', value: this.#options.end.realtimeUrl, note: model },
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
    await this.#options.end.drain();
    await this.#bridge.drain();
    await this.#standIn.close();
    await this.#page?.drain();
  }

  /** Ends now, all but the end. Idempotent. */
  async close(): Promise<void> {
    await this.#page?.close();
    await this.#bridge.close();
    await this.#standIn.close();
  }
}
