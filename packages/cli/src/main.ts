/** The `kikitori` command: names and how to load what is behind them. Importing this file runs nothing. */
import type { Context } from './context.js';
import { createProcessContext } from './process-context.js';
import { type CommandTable, runProgram } from './program.js';
import { fetchThroughProxies } from './proxied-fetch.js';

/** Every command. Each is loaded only when it is called: `kikitori --help` starts no engine. */
export const COMMANDS: CommandTable = {
  serve: {
    summary: 'run a Realtime speech-to-text server',
    load: async () => (await import('./commands/serve.js')).serve,
  },
  transcribe: {
    summary: 'turn a file or piped audio into text while it is being sent',
    load: async () => (await import('./commands/transcribe.js')).transcribe,
  },
  listen: {
    summary: 'turn what the microphone hears into text',
    load: async () => (await import('./commands/listen.js')).listen,
  },
  bridge: {
    summary: 'pass WebSockets of SageMaker on to a Realtime server, as its container does',
    load: async () => (await import('./commands/bridge.js')).bridge,
  },
  'sagemaker-local': {
    summary: "stand in for SageMaker's runtime in front of a container on this machine",
    load: async () => (await import('./commands/sagemaker-local.js')).sagemakerLocal,
  },
  up: {
    summary: 'run the whole SageMaker path on this machine: model server, bridge, stand-in',
    load: async () => (await import('./commands/up.js')).up,
  },
  deploy: {
    summary: 'make or change a SageMaker endpoint on AWS',
    load: async () => (await import('./commands/deploy.js')).deploy,
  },
  status: {
    summary: 'show how an endpoint on AWS is, and what it costs',
    load: async () => (await import('./commands/status.js')).status,
  },
  logs: {
    summary: 'show what the containers of an endpoint on AWS say',
    load: async () => (await import('./commands/logs.js')).logs,
  },
  scale: {
    summary: 'change the number of instances of an endpoint on AWS',
    load: async () => (await import('./commands/scale.js')).scale,
  },
  destroy: {
    summary: 'remove an endpoint on AWS, and everything that was made for it',
    load: async () => (await import('./commands/destroy.js')).destroy,
  },
  models: {
    summary: 'list, fetch and remove models',
    load: async () => (await import('./commands/models.js')).models,
  },
  keys: {
    summary: 'make and remove API keys of a server',
    load: async () => (await import('./commands/keys.js')).keys,
  },
  doctor: {
    summary: 'check this machine and say what to do',
    load: async () => (await import('./commands/doctor.js')).doctor,
  },
  bench: {
    summary: 'measure how fast this machine transcribes',
    load: async () => (await import('./commands/bench.js')).bench,
  },
};

/**
 * Runs one command line (`words` without the interpreter and the script) and resolves with its exit code: 0 done,
 * 1 the service failed, 2 usage or bad input, 130 interrupted. Never rejects.
 */
export async function main(words: readonly string[], context?: Context): Promise<number> {
  if (context !== undefined) return await runProgram(words, COMMANDS, context);
  const owned = createProcessContext();
  await fetchThroughProxies(process.env);
  try {
    return await runProgram(words, COMMANDS, owned.context);
  } finally {
    owned.dispose();
  }
}
