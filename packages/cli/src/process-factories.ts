/** The real makers of everything costly. Each loads its package on first use: `--help` loads none of them. */
import type { EngineRequest, Environment, Factories, LogLevel, Output } from './context.js';
import type { ModelStore } from './model-store.js';

/** Makers that read `env` and log to `stderr`. */
export function processFactories(env: Environment, stderr: Output): Factories {
  return {
    createEngine: (request) => createEngine(request, env),
    createVoiceDetector: async ({ signal }) =>
      (await import('@kikitori/engine-local')).createVoiceDetector({ store: { env }, signal }),
    openModelStore: () => openModelStore(env),
    connect: async () => {
      const { connectThrough, Proxies } = await import('@kikitori/transport/proxy');
      return connectThrough(new Proxies(env));
    },
    connectToEndpoint: async (request) =>
      (await import('./sagemaker/endpoint-connect.js')).connectToEndpoint(request, env),
    openMicrophone: async (options) => (await import('./audio/microphone.js')).openMicrophone(options),
    listMicrophones: async () => (await import('./audio/microphone.js')).listMicrophones(),
    createLogger: async (level: LogLevel) =>
      (await import('./logging.js')).createLogger(level, { output: stderr, env }),
    openAws: async (options) => {
      // AWS's clients would otherwise tell everybody on Node 20 when their support for it ends.
      process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
      const { Aws } = await import('@kikitori/deploy');
      const { Proxies, proxyAgents } = await import('@kikitori/transport/proxy');
      const proxies = new Proxies(env);
      return new Aws({ ...options, agents: proxies.isEmpty ? undefined : proxyAgents(proxies) });
    },
  };
}

async function createEngine(request: EngineRequest, env: Environment): ReturnType<Factories['createEngine']> {
  const { createLocalEngine } = await import('@kikitori/engine-local');
  const { model, threads, delayMs, streamsMax, signal, onProgress } = request;
  return await createLocalEngine({
    store: { env },
    signal,
    onProgress: (label, { receivedBytes, totalBytes }) => onProgress({ label, receivedBytes, totalBytes }),
    ...(model === undefined ? {} : { model }),
    ...(threads === undefined ? {} : { threads }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(streamsMax === undefined ? {} : { streamsMax }),
  });
}

async function openModelStore(env: Environment): Promise<ModelStore> {
  const store = await import('@kikitori/engine-local');
  return {
    list: () => store.listModels({ env }),
    pull: async (name, options) => {
      await store.pullModel(name, { env, ...options });
    },
    remove: (name) => store.removeModel(name, { env }),
    problems: async (name, signal) => {
      const problems = await store.verifyModel(name, { env, signal });
      return problems.map(({ file }) => file);
    },
  };
}
