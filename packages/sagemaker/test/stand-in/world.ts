import type { LogFields } from '@kikitori/core';
import {
  createSageMakerStandIn,
  type SageMakerStandIn,
  type SageMakerStandInOptions,
} from '../../src/stand-in/index.js';
import { type ContainerEnd, FrameContainer } from './frame-container.js';
import { Inbox } from './inbox.js';
import { ClientEnd, type RequestChanges } from './signed-client.js';

/** A stand-in with one endpoint named demo, in front of a container made of frames. */
export interface World {
  readonly runtime: SageMakerStandIn;
  readonly container: FrameContainer;
  /** Lines of the log, as they come. */
  readonly log: Inbox<LogFields & { readonly message: string }>;
  /** Opens a stream and waits for neither answer nor container. */
  dial(changes?: RequestChanges): ClientEnd;
  /** Opens a stream, both ends. */
  open(changes?: RequestChanges): Promise<{ readonly client: ClientEnd; readonly far: ContainerEnd }>;
  /** The next line of the log that says so. */
  logged(message: string): Promise<LogFields>;
  dispose(): Promise<void>;
}

/** Starts both, and waits until the endpoint is in service. */
export async function startWorld(
  options: Partial<SageMakerStandInOptions> & { readonly waits?: boolean } = {},
): Promise<World> {
  const { waits = true, ...given } = options;
  const container = await FrameContainer.start();
  const log = new Inbox<LogFields & { readonly message: string }>();
  const write = (message: string, fields: LogFields = {}): void => log.push({ message, ...fields });
  const runtime = await createSageMakerStandIn({
    port: 0,
    isPlaintext: true,
    endpoints: [{ name: 'demo', containerUrl: container.url }],
    logger: { debug: write, info: write, warn: write, error: write },
    ...given,
    limits: { healthIntervalMs: 20, lingerMs: 20, ...given.limits },
  });
  if (waits) await runtime.whenInService();
  const clients: ClientEnd[] = [];
  const dial = (changes?: RequestChanges): ClientEnd => {
    const { authority } = runtime;
    const client = new ClientEnd(runtime.url, changes, authority === undefined ? {} : { ca: authority });
    clients.push(client);
    return client;
  };
  return {
    runtime,
    container,
    log,
    dial,
    open: async (changes) => {
      const client = dial(changes);
      const far = await container.ends.next();
      await client.response;
      return { client, far };
    },
    logged: async (message) => {
      for (;;) {
        const line = await log.next();
        if (line.message === message) return line;
      }
    },
    dispose: async () => {
      for (const client of clients) client.destroy();
      await runtime.destroy();
      await container.stop();
    },
  };
}
