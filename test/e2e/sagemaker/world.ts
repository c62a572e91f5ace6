/** The parts of the way to a SageMaker endpoint in this process: on any ports, with a line between each two that breaks. */
import { type Bridge, type BridgeOptions, createBridge } from '@kikitori/bridge';
import { ClientError, connect, type Session } from '@kikitori/client';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import {
  createSageMakerConnect,
  type SageMakerConnectOptions,
  SageMakerError,
} from '@kikitori/sagemaker/client';
import {
  createSageMakerStandIn,
  LOCAL_CREDENTIALS,
  type SageMakerStandIn,
  type SageMakerStandInOptions,
} from '@kikitori/sagemaker/stand-in';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { Line } from '../reliability/line.js';

/** What a session says when it is asked for one utterance. */
export const WORDS = 'Good morning.';

/** Looks a few times in a hundredth of a second, since turns of the event loop would take a whole core; the test's own timeout is the bound. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export const silence = (lengthMs: number): Int16Array => new Int16Array(lengthMs * 16);

/** What differs from a world where everything works. */
export interface WorldOptions {
  /** Sessions that the model server takes. Default 4. */
  readonly streamsMax?: number;
  readonly bridgeLimits?: BridgeOptions['limits'];
  readonly runtimeLimits?: SageMakerStandInOptions['limits'];
  readonly liveness?: Liveness;
}

/** When the client takes silence of the runtime for its end; a busy machine is silent for a while, too. */
type Liveness = Pick<SageMakerConnectOptions, 'livenessIntervalMs' | 'livenessTimeoutMs'>;

interface Parts {
  readonly engine: ScriptedEngine;
  readonly server: RunningServer;
  readonly bridge: Bridge;
  readonly runtime: SageMakerStandIn;
  readonly modelLine: Line;
  readonly containerLine: Line;
  readonly clientLine: Line;
}

export class World implements AsyncDisposable {
  readonly engine: ScriptedEngine;
  readonly server: RunningServer;
  readonly bridge: Bridge;
  readonly runtime: SageMakerStandIn;
  /** From bridge to model server. */
  readonly modelLine: Line;
  /** From the stand-in to the bridge. */
  readonly containerLine: Line;
  /** From the client to the stand-in. */
  readonly clientLine: Line;
  readonly #liveness: Liveness;

  private constructor(parts: Parts, liveness: Liveness) {
    this.#liveness = liveness;
    this.engine = parts.engine;
    this.server = parts.server;
    this.bridge = parts.bridge;
    this.runtime = parts.runtime;
    this.modelLine = parts.modelLine;
    this.containerLine = parts.containerLine;
    this.clientLine = parts.clientLine;
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    const { streamsMax = 4, bridgeLimits = {}, runtimeLimits = {}, liveness = {} } = options;
    const word = (text: string, startMs: number) => ({ text, startMs, endMs: startMs + 250 });
    const engine = createScriptedEngine({
      script: [{ words: [word('Good', 200), word('morning.', 500)] }],
      afterScript: 'repeat',
      roundMs: 1_000,
      streamsMax,
    });
    const server = await startServer({ engine, attach: attachWebSockets, port: 0 });
    const modelLine = await Line.to(server.port);
    const upstream = `ws://127.0.0.1:${modelLine.port}/v1/realtime`;
    const bridge = createBridge({ host: '127.0.0.1', port: 0, upstream, limits: bridgeLimits });
    const containerLine = await Line.to(await bridge.listen());
    const runtime = await startRuntime(containerLine.port, runtimeLimits);
    const clientLine = await Line.to(runtime.port);
    const parts = { engine, server, bridge, runtime, modelLine, containerLine, clientLine };
    return new World(parts, liveness);
  }

  /** A session as a client opens it. */
  session(): Promise<Session> {
    return openSession(`http://127.0.0.1:${this.clientLine.port}`, this.#liveness);
  }

  /** Nothing is left of any session, anywhere on the way. Lines that were silenced are cut, as time would. */
  async quiet(): Promise<void> {
    for (const line of [this.clientLine, this.containerLine, this.modelLine]) line.cutSilenced();
    await eventually(
      () =>
        this.runtime.streamCount === 0 &&
        this.bridge.sessionCount === 0 &&
        this.server.sessionCount === 0 &&
        this.engine.calls.streamsOpen === 0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clientLine[Symbol.asyncDispose]();
    await this.runtime.destroy();
    await this.containerLine[Symbol.asyncDispose]();
    await this.bridge.close();
    await this.modelLine[Symbol.asyncDispose]();
    await this.server.close();
    await this.engine.close();
  }
}

/** A stand-in in front of the container on that port, in service. */
export async function startRuntime(
  port: number,
  limits: SageMakerStandInOptions['limits'] = {},
): Promise<SageMakerStandIn> {
  const runtime = await createSageMakerStandIn({
    endpoints: [{ name: 'demo', containerUrl: `ws://127.0.0.1:${port}` }],
    port: 0,
    isPlaintext: true,
    limits: { healthIntervalMs: 50, ...limits },
  });
  await runtime.whenInService();
  return runtime;
}

/** A session of the endpoint behind that stand-in, which does not come back by itself. */
export async function openSession(url: string, liveness: Liveness = {}): Promise<Session> {
  const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
  return await connect({
    reconnect: false,
    connect: createSageMakerConnect({
      endpointName: 'demo',
      region: 'us-east-1',
      endpointUrl: url,
      credentials: { accessKeyId, secretAccessKey },
      ...liveness,
    }),
  });
}

/** Speaks one utterance to its end. */
export async function speak(session: Session): Promise<string> {
  await session.send(silence(1_000));
  const { text } = await session.finish();
  await session.close();
  return text;
}

/** What ended a session that could not end in order. */
export async function failureOf(session: AsyncIterable<unknown>): Promise<ClientError> {
  try {
    for await (const _event of session);
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
  throw new Error('the session ended in order');
}

/** The reason that SageMaker's client gave for it. */
export const reasonOf = (error: ClientError): unknown =>
  error.cause instanceof SageMakerError ? error.cause.reason : error.cause;
