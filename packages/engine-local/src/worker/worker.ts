/** A thread of the engine: loads one model, then answers requests one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { familyOf } from '../families/index.js';
import { SileroVad } from '../vad/silero.js';
import type { WorkerRequest, WorkerResponse, WorkerRole } from './messages.js';

const port = parentPort;
if (port === null) throw new Error('worker.js is started by the engine, not by hand');

/** The first run of a graph allocates; a second of silence pays that before the first speaker does. */
const WARM_UP_SAMPLES = 16_000;

function say(response: WorkerResponse, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(response, transfer);
}

async function load(role: WorkerRole): Promise<(request: WorkerRequest) => Promise<void>> {
  if (role.type === 'voice') {
    const vad = await SileroVad.load(role.file);
    return async (message) => {
      if (message.type !== 'listen') return;
      const { samples, state } = message.request;
      const probabilities = await vad.probabilities(samples, state);
      say({ type: 'heard', id: message.id, result: { probabilities, state } });
    };
  }
  const family = familyOf(role.family);
  if (family === undefined) throw new TypeError('a model of a family that nobody knows');
  const model = await family.load(role.files);
  await model.decode({ samples: new Float32Array(WARM_UP_SAMPLES), prefix: [], draft: [], tokensMax: 2 });
  return async (message) => {
    if (message.type !== 'decode') return;
    say({ type: 'decoded', id: message.id, result: await model.decode(message.request) });
  };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 500) : 'unknown';
}

async function main(): Promise<void> {
  // Set by the engine that starts this thread; nobody else can.
  const answer = await load(workerData as WorkerRole);
  // The runtime computes without yielding, so requests would run one after the other anyway; the chain keeps order.
  let last = Promise.resolve();
  port?.on('message', (message: WorkerRequest) => {
    if (message.type === 'stop') {
      port.close();
      return;
    }
    last = last
      .then(() => answer(message))
      .catch((error: unknown) => say({ type: 'failed', id: message.id, reason: reason(error) }));
  });
  say({ type: 'ready' });
}

main().catch((error: unknown) => {
  say({ type: 'unusable', reason: reason(error) });
  // Nothing listens any more, so that the thread ends here.
  port?.close();
});
