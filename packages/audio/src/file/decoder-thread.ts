import { parentPort } from 'node:worker_threads';
import { AudioError } from '../errors.js';
import type { FromDecoder, ToDecoder } from './decoder-messages.js';
import { type DecodingTask, openSpeech } from './speech-stream.js';

/**
 * Entry of the decoder thread: makes speech of the bytes of files, one after the other. A thread of its own because
 * decoding, mixing and resampling compute for long, and because a hostile file can make a library loop for ever: then the
 * thread is ended.
 */
if (parentPort === null) throw new Error('decoder-thread.js is started by decoder-threads.js');
const port = parentPort;

// The libraries print what they stumble over; damage is reported by `isDamaged` here.
for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) console[name] = () => undefined;
process.stdout.write = () => true;
process.stderr.write = () => true;

let answer: ((message: ToDecoder) => void) | undefined;

/** Waits for the next message. */
function received(): Promise<ToDecoder> {
  return new Promise((resolve) => {
    answer = resolve;
  });
}

/** Sends a message and waits for its answer. */
function ask(message: FromDecoder, transfer: ArrayBuffer[] = []): Promise<ToDecoder> {
  port.postMessage(message, transfer);
  return received();
}

async function* bytes(): AsyncGenerator<Uint8Array, void> {
  while (true) {
    const message = await ask({ type: 'need' });
    if (message.type !== 'bytes') return;
    yield message.bytes;
  }
}

async function run(task: DecodingTask): Promise<FromDecoder> {
  try {
    const { chunks, isDamaged, leftOutBytes, isBlended, ...facts } = await openSpeech(task, bytes());
    await ask({ type: 'facts', ...facts });
    for await (const samples of chunks) await ask({ type: 'block', samples }, [samples.buffer]);
    const said = { isDamaged: isDamaged(), leftOutBytes: leftOutBytes(), isBlended: isBlended() };
    return { type: 'done', ...said, heldBytes: heldBytes() };
  } catch (error) {
    if (error instanceof AudioError) return { type: 'failed', code: error.code, message: error.message };
    const message =
      'This file can not be decoded: it is damaged or unusual; export it again, or install ffmpeg.';
    return { type: 'failed', code: 'decode_failed', message };
  }
}

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const begun = received();
port.on('message', (message: ToDecoder) => answer?.(message));
for (let message = await begun; message.type === 'task'; ) {
  const last = await run(message.task);
  if (last.type === 'failed') {
    port.postMessage(last);
    break;
  }
  message = await ask(last);
}
port.close();
