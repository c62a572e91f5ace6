// A thread for tests: dies at the first request after each start, `deaths` times, and answers from then on.
import { parentPort, workerData } from 'node:worker_threads';

const { counter, deaths } = workerData.files;
const started = Atomics.add(counter, 0, 1);
parentPort.on('message', ({ id, request }) => {
  if (started < deaths) process.exit(1);
  parentPort.postMessage({ type: 'decoded', id, result: { tokens: [request.samples.length] } });
});
if (workerData.files.unusable) parentPort.postMessage({ type: 'unusable', reason: 'because' });
else parentPort.postMessage({ type: 'ready' });
