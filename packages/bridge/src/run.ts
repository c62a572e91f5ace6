import { type Logger, untilAborted } from '@kikitori/core';
import { isLoopback } from '@kikitori/transport/doors';
import { Bridge } from './bridge.js';
import { BRIDGE_ERRORS, BridgeError } from './errors.js';
import { HealthProbe } from './http/health.js';
import { shownPaths } from './http/paths.js';
import { parseUpstream } from './http/upstream.js';
import { BRIDGE_LIMITS, type BridgeLimits } from './limits.js';
import type { BridgeSettings, ModelServerSettings } from './settings.js';
import {
  type ModelServer,
  type ModelServerOptions,
  superviseModelServer,
} from './supervisor/model-server.js';

/** What running depends on besides the settings. */
export interface RunContext {
  readonly logger: Logger;
  /** Where metrics go, a line with its end at a time. */
  readonly writeOut: (text: string) => void;
  /** Told the port once it listens. */
  readonly onListening?: (port: number) => void;
  /** Aborted: stop in order, as on SIGTERM. */
  readonly signal: AbortSignal;
  /** Aborted: stop now, without waiting for sessions. */
  readonly urgentSignal?: AbortSignal;
}

/**
 * The whole command: bridge, and model server where asked for, until the signal. Then: nobody new, live sessions until the
 * deadline, then 1012, then the model server ends. Resolves with the exit code: 0 when told to stop, 1 when the model server
 * is gone for good (SageMaker then starts another container). Rejects with `BridgeError` where nothing could begin.
 */
export async function runBridge(settings: BridgeSettings, context: RunContext): Promise<number> {
  const { logger, signal, writeOut } = context;
  let modelServer: ModelServer | undefined;
  const isSupervised = settings.modelServer !== undefined;
  const bridge = new Bridge({
    host: settings.host,
    port: settings.port,
    upstream: settings.upstream,
    paths: settings.paths,
    invocations: settings.invocations,
    allowedOrigins: settings.allowedOrigins,
    limits: settings.limits,
    isModelLoading: () => isSupervised && modelServer?.state !== 'ready',
    logger,
    ...(settings.emf ? { writeMetrics: (line: string) => writeOut(`${line}\n`) } : {}),
  });
  const port = await bridge.listen();
  // What is taken: in a container nobody else says it.
  const { allowedOrigins, invocations } = settings;
  const upstream = parseUpstream(settings.upstream);
  logger.info('listening', {
    port,
    paths: shownPaths(settings.paths, upstream.url),
    invocations: invocations === false ? 'off' : (invocations ?? upstream.transcriptionsUrl.pathname),
    pages: isLoopback(settings.host) ? 'this machine' : 'same origin',
    allowed_origins: allowedOrigins.join(' '),
  });
  context.onListening?.(port);
  modelServer = settings.modelServer && startModelServer(settings.modelServer, { ...settings, logger });
  try {
    await Promise.race([untilAborted(signal), ...(modelServer === undefined ? [] : [modelServer.ended])]);
    const urgent = context.urgentSignal === undefined ? [] : [untilAborted(context.urgentSignal)];
    await Promise.race([bridge.drain(), ...urgent]);
    return 0;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    logger.error('stopping', { code: error.code });
    return BRIDGE_ERRORS[error.code].exitCode;
  } finally {
    await bridge.close();
    await modelServer?.stop();
  }
}

/** What a model server depends on besides how it is run. */
export interface ModelServerContext
  extends Pick<BridgeSettings, 'upstream'>,
    Pick<ModelServerOptions, 'onOutput' | 'onState'> {
  readonly limits?: Partial<BridgeLimits>;
  readonly logger: Logger;
}

/** Starts the model server that will be found at `upstream`, and keeps it running. Throws `BridgeError` `invalid_option`. */
export function startModelServer(
  { command, overruled, isRestarted, startRetriesMax }: ModelServerSettings,
  { upstream, limits, logger, ...told }: ModelServerContext,
): ModelServer {
  if (overruled.length > 0) logger.warn('the command holds', { not_heeded: overruled.join(' ') });
  // Not cached: what held for a server that has ended says nothing about the next.
  const ofProbe = { ...BRIDGE_LIMITS, ...limits, healthCacheMs: 0 };
  const health = new HealthProbe(parseUpstream(upstream), ofProbe);
  return superviseModelServer({
    command,
    isRestarted,
    limits: { startRetriesMax },
    health: () => health.health(),
    logger,
    ...told,
  });
}
