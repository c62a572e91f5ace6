import type { Clock } from '@kikitori/core';
import type { EngineInfo } from '@kikitori/engine';
import type { ListenHandlers } from '@kikitori/transport';
import { isLoopback } from '@kikitori/transport/doors';
import { createKey, digestOf, type KeySource } from '../doors/keys.js';
import { ServerError } from '../errors.js';
import { packageVersion } from '../version.js';
import { descriptionOf } from './description.js';
import { listenWyoming, type WyomingListener } from './listen-wyoming.js';

/** Where Wyoming is to be spoken. */
export interface WyomingAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** What a server that listens is told of it. */
export interface WyomingSideOptions {
  readonly at: WyomingAddress;
  /** The server takes keys. */
  readonly isGuarded: boolean;
  /** The network is trusted. */
  readonly insecure: boolean;
  readonly clock: Clock;
}

/** What is served, once it is there. */
export interface ServedBehind {
  readonly handlers: ListenHandlers;
  readonly engineInfo: () => EngineInfo | undefined;
  /** Served names, where they are not the engine's own. */
  readonly models?: readonly string[];
  readonly version?: string;
}

/** The other door of a server: for clients over TCP, who cannot show a key. */
export class WyomingSide {
  /** What the server has to take as good, beside its own keys. */
  readonly keySources: readonly KeySource[];
  readonly #options: WyomingSideOptions;
  readonly #key: string | undefined;
  #listener: WyomingListener | undefined;

  /** Throws `ServerError` `unsafe_address` where everybody could enter who reaches it. */
  constructor(options: WyomingSideOptions) {
    const { at, insecure, isGuarded } = options;
    if (!insecure && !isLoopback(at.host)) {
      throw new ServerError(
        'unsafe_address',
        `Wyoming has no keys: everybody who reaches ${at.host} port ${at.port} could use this server. Listen with it on 127.0.0.1, or say --insecure if you trust the network.`,
      );
    }
    this.#options = options;
    // Never leaves the process; what its sessions have is shared among them as that of any key.
    this.#key = isGuarded ? createKey() : undefined;
    const key = this.#key;
    this.keySources = key === undefined ? [] : [{ keys: [{ name: 'wyoming', digest: digestOf(key) }] }];
  }

  /** Listens. Throws as `listenWyoming`. */
  async listen({ handlers, engineInfo, models, version }: ServedBehind): Promise<void> {
    const { at, clock } = this.#options;
    this.#listener = await listenWyoming({
      ...at,
      handlers,
      clock,
      key: this.#key,
      describe: () => {
        const info = engineInfo();
        if (info === undefined) return undefined;
        const { model, languages } = info;
        return descriptionOf({
          models: models ?? [model],
          languages,
          version: version ?? packageVersion(),
        });
      },
    });
  }

  /** Where it listens, with the port that was really taken; undefined before. */
  get address(): WyomingAddress | undefined {
    const port = this.#listener?.port;
    return port === undefined ? undefined : { host: this.#options.at.host, port };
  }

  /** Ends with the sessions: no more calls, and those that are left end when they were told everything. */
  async close(): Promise<void> {
    await this.#listener?.close();
  }

  /** Ends every call now. */
  destroy(): void {
    this.#listener?.destroy();
  }
}
