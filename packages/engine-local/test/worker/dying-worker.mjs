// A thread for tests: dies at the first request after each start, `deaths` times, and answers from then on. With a
// `gate` it loads until the gate is opened, without yielding, as the runtime does, and then says in it that it got there.
import { parentPort, workerData } from 'node:worker_threads';

const { counter, deaths, gate } = workerData.files;
const started = Atomics.add(counter, 0, 1);
if (gate) {
  Atomics.wait(gate, 0, 0, 5000);
  Atomics.store(gate, 1, 1);
}
parentPort.on('message', ({ type, id, request }) => {
  if (type === 'stop') return parentPort.close();
  if (started < deaths) process.exit(1);
  parentPort.postMessage({ type: 'decoded', id, result: { tokens: [request.samples.length] } });
});
if (workerData.files.unusable) parentPort.postMessage({ type: 'unusable', reason: 'because' });
else parentPort.postMessage({ type: 'ready' });
