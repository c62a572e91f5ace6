/**
 * One session of two hours, sent faster than it is spoken: resident memory of the server's process and of the client's,
 * what the client's heap holds, and how often one connection took over from another. The recogniser is scripted, so
 * that what is measured is all the rest.
 *
 *   npm run build && node bench/long-session.js [--minutes 120] [--rate 80]
 *
 * A connection carries 30 minutes of speech, as on SageMaker: its age counts in time and in audio.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect } from '@kikitori/client';
import { createScriptedEngine } from '@kikitori/engine';
import { startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { residentBytes } from './lib/processes.js';
import { argument, percentile, table } from './lib/speech.js';

const CHUNK_MS = 80;
const CONNECTION_MINUTES = 30;
const SENTENCE = 'The ferry to the island leaves at nine fifteen from pier four.'.split(' ');
const WORD_MS = 300;
const ROUND_MS = SENTENCE.length * WORD_MS + 1_500;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** What the client's heap holds once it is swept, bytes. */
function livingBytes() {
  collect();
  return process.memoryUsage().heapUsed;
}

async function serve() {
  const words = SENTENCE.map((text, i) => ({ text, startMs: i * WORD_MS, endMs: i * WORD_MS + 250 }));
  const engine = createScriptedEngine({ script: [{ words }], afterScript: 'repeat', roundMs: ROUND_MS });
  const server = await startServer({ engine, attach: attachWebSockets, port: 0 });
  await server.ready;
  process.send({ port: server.port });
  process.once('disconnect', () => process.exit());
}

async function measure() {
  const minutes = Number(argument('minutes', '120'));
  const rate = Number(argument('rate', '80'));
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  const [{ port }] = await once(child, 'message');
  const session = await connect({
    url: `ws://127.0.0.1:${port}`,
    words: true,
    sessionMsMax: CONNECTION_MINUTES * 60_000,
  });
  let handovers = 0;
  const reading = (async () => {
    for await (const event of session) {
      if (event.type === 'reconnect' && event.isPlanned) handovers += 1;
    }
  })();
  const quarters = [[], [], [], []];
  const piece = new Float32Array(CHUNK_MS * 16);
  const startedAt = performance.now();
  const end = minutes * 60_000;
  for (let sentMs = 0; sentMs < end; sentMs += CHUNK_MS) {
    const waitMs = sentMs / rate - (performance.now() - startedAt);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await session.send(piece);
    if (sentMs % 8_000 === 0) {
      const place = quarters[Math.floor((sentMs / end) * 4)];
      place.push({
        server: residentBytes(child.pid),
        client: residentBytes(process.pid),
        living: livingBytes(),
      });
    }
  }
  const words = (await session.finish()).text.trim().split(/\s+/).length;
  await session.close();
  await reading;
  child.disconnect();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(
    `${minutes} minutes of speech in ${seconds} s: ${words} words, ${handovers} hand-overs\n\n`,
  );
  const median = (bytes) => `${(percentile(bytes, 0.5) / 2 ** 20).toFixed(0)} MB`;
  table(
    ['minutes', 'server, median', 'client, median', 'client, living heap'],
    quarters.map((found, i) => [
      `${(i * minutes) / 4}–${((i + 1) * minutes) / 4}`,
      median(found.map(({ server }) => server)),
      median(found.map(({ client }) => client)),
      median(found.map(({ living }) => living)),
    ]),
  );
}

await (process.argv[2] === 'serve' ? serve() : measure());
