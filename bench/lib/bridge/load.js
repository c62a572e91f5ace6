/**
 * The clients of the bridge's bench: one process, bare sockets. Told over its IPC channel what to do, answers there.
 *
 * `{ open: url, sessions }` opens so many; `{ measure: seconds }` lets them talk (each every 128 ms, evenly spread) and
 * counts after a second of warming up; `{ close: true }` ends them.
 */
import { encodeCloseFrame, encodeFrame, newMaskKey, OPCODE, openFrames } from '@kikitori/transport/frames';
import { ANSWER, AUDIO, INTERVAL_MS } from './messages.js';

const ANSWER_BYTES = ANSWER.length + 2;
const WARM_UP_MS = 1_000;
const OPENING_AT_ONCE = 16;
/** Above it a session skips its turn: whoever is in between does not keep up. */
const UNSENT_BYTES_MAX = 512 * 1024;

const frame = Buffer.from(encodeFrame(AUDIO, { opcode: OPCODE.binary, maskKey: newMaskKey() }));
let sessions = [];
let isMeasuring = false;
let latencies = [];
let answered = 0;
let skipped = 0;

async function open(url, count) {
  let started = 0;
  const one = async () => {
    while (started < count) {
      started += 1;
      const opening = await openFrames({ url, timeoutMs: 30_000 });
      if (opening.kind === 'refused') throw new Error(`refused with ${opening.status}`);
      sessions.push(listen(opening.socket));
    }
  };
  await Promise.all(Array.from({ length: OPENING_AT_ONCE }, one));
}

function listen(socket) {
  const session = { socket, sentAt: [], bytes: 0 };
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    session.bytes += chunk.length;
    const now = performance.now();
    while (session.bytes >= ANSWER_BYTES && session.sentAt.length > 0) {
      session.bytes -= ANSWER_BYTES;
      const sentAt = session.sentAt.shift();
      if (!isMeasuring) continue;
      answered += 1;
      latencies.push(now - sentAt);
    }
  });
  socket.resume();
  return session;
}

/** Each session speaks every 128 ms; who is due is looked at every millisecond. */
function talk() {
  const begunMs = performance.now();
  let turn = 0;
  return setInterval(() => {
    const due = Math.floor(((performance.now() - begunMs) / INTERVAL_MS) * sessions.length);
    for (; turn < due; turn += 1) {
      const session = sessions[turn % sessions.length];
      if (session.socket.writableLength > UNSENT_BYTES_MAX) {
        if (isMeasuring) skipped += 1;
        continue;
      }
      session.sentAt.push(performance.now());
      session.socket.write(frame);
    }
  }, 1);
}

async function measure(seconds) {
  const talking = talk();
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  latencies = [];
  answered = 0;
  skipped = 0;
  isMeasuring = true;
  process.send({ counting: true });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  isMeasuring = false;
  const result = { answered, skipped, due: (seconds * 1000 * sessions.length) / INTERVAL_MS };
  process.send({ counted: result });
  clearInterval(talking);
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(Math.floor(latencies.length * share), latencies.length - 1)];
  return { ...result, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function close() {
  await Promise.all(
    sessions.map(({ socket }) => {
      const ended = new Promise((resolve) => socket.once('close', resolve));
      socket.end(encodeCloseFrame(1000, '', newMaskKey()));
      setTimeout(() => socket.destroy(), 3_000).unref();
      return ended;
    }),
  );
  sessions = [];
}

process.on('message', async (task) => {
  try {
    if (task.open !== undefined) await open(task.open, task.sessions);
    if (task.measure !== undefined) process.send({ measured: await measure(task.measure) });
    if (task.close !== undefined) await close();
    process.send({ done: true });
  } catch (error) {
    process.send({ failed: String(error) });
  }
});
