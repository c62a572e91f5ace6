/**
 * The processes of `sagemaker.js`, one role each, named by the first argument. A server prints its address and lives
 * until its standard input ends; a client prints one line of JSON and ends. Each role loads only what it is about.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import http2 from 'node:http2';
import { crc32 } from 'node:zlib';

const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench' };
const AUDIO = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 31) % 251)).toString('base64');
const EVENT = JSON.stringify({ type: 'input_audio_buffer.append', audio: AUDIO });
const ANSWER_TEXT = JSON.stringify({ type: 'transcription.delta', delta: ' word' });

/** A `PayloadPart` as the service writes it. */
function answerBytes() {
  const header = (name, value) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(value.length);
    return Buffer.concat([
      Buffer.of(name.length),
      Buffer.from(name),
      Buffer.of(7),
      length,
      Buffer.from(value),
    ]);
  };
  const headers = Buffer.concat([
    header(':event-type', 'PayloadPart'),
    header(':content-type', 'application/octet-stream'),
    header(':message-type', 'event'),
    header('DataType', 'UTF8'),
    header('CompletionState', 'COMPLETE'),
  ]);
  const bytes = Buffer.alloc(16 + headers.length + ANSWER_TEXT.length);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(headers.length, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  bytes.set(headers, 12);
  bytes.write(ANSWER_TEXT, 12 + headers.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

const ANSWER = answerBytes();
const untilStdinEnds = () => new Promise((resolve) => process.stdin.on('close', resolve).resume());

/** Answers every event of a request at once, whatever it says; checks nothing. */
async function sink() {
  const server = http2.createServer();
  server.on('session', (session) => {
    // AWS's client says GOAWAY as soon as its stream is open; Node would end the session for it.
    const close = session.close.bind(session);
    session.close = () => undefined;
    session.on('stream', (stream) => stream.once('close', () => close()));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream' });
    let missing = 0;
    let head = Buffer.alloc(0);
    stream.on('data', (chunk) => {
      let at = 0;
      while (at < chunk.length) {
        if (missing === 0) {
          head = Buffer.concat([head, chunk.subarray(at, at + 4 - head.length)]);
          at = Math.min(chunk.length, at + 4);
          if (head.length < 4) return;
          missing = head.readUInt32BE() - 4;
          head = Buffer.alloc(0);
        }
        const used = Math.min(missing, chunk.length - at);
        missing -= used;
        at += used;
        if (missing === 0) stream.write(ANSWER);
      }
    });
    stream.on('end', () => stream.end());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  console.log(`http://127.0.0.1:${server.address().port}`);
  await untilStdinEnds();
  process.exit();
}

/** A container that answers every message with a short one. */
async function container() {
  const { attachWebSockets } = await import('@kikitori/transport/ws');
  const server = createServer((_request, response) => response.end());
  attachWebSockets(server, {
    admit: () => ({ accept: true }),
    onConnection: async (connection) => {
      try {
        for await (const _ of connection.messages) await connection.send(ANSWER_TEXT);
      } catch {
        // A stream that was cut at the end.
      }
    },
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  console.log(`ws://127.0.0.1:${server.address().port}`);
  await untilStdinEnds();
  process.exit();
}

/** The stand-in; prints its CPU time (µs) for every line on its standard input. */
async function standIn(containerUrl) {
  const { createSageMakerStandIn } = await import('@kikitori/sagemaker/stand-in');
  const runtime = await createSageMakerStandIn({
    port: 0,
    isPlaintext: true,
    endpoints: [{ name: 'bench', containerUrl }],
  });
  await runtime.whenInService();
  console.log(runtime.url);
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage();
    console.log(`${user + system}`);
  });
  await untilStdinEnds();
  process.exit();
}

/** Counts answers; `next` resolves when one more than before is there. */
class Answers {
  count = 0;
  #wake;

  add(count = 1) {
    this.count += count;
    this.#wake?.();
    this.#wake = undefined;
  }

  async atLeast(count) {
    while (this.count < count) {
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/**
 * Sends events with at most `ahead` unanswered ones and measures the CPU of this process from the end of the warm-up to
 * the last answer.
 */
async function drive({ send, answers }, { events, warmUp, ahead }) {
  let before;
  for (let index = 0; index < warmUp + events; index += 1) {
    if (index === warmUp) {
      await answers.atLeast(warmUp);
      before = process.cpuUsage();
    }
    await answers.atLeast(index - ahead + 1);
    await send();
  }
  await answers.atLeast(warmUp + events);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ cpuUs: (user + system) / events }));
}

async function oursClient(url, plan) {
  const { createSageMakerConnect } = await import('@kikitori/sagemaker/client');
  const connect = createSageMakerConnect({
    endpointName: 'bench',
    region: REGION,
    endpointUrl: url,
    credentials: CREDENTIALS,
  });
  const connection = await connect({ url: '' });
  const answers = new Answers();
  const reading = (async () => {
    for await (const message of connection.messages) answers.add(message.length > 0 ? 1 : 0);
  })();
  await drive({ send: () => connection.send(EVENT), answers }, plan);
  await connection.close();
  await reading;
}

async function stockClient(url, plan) {
  const { createStockClient } = await import('./aws-stock-client.js');
  const client = createStockClient({ endpoint: url, region: REGION, credentials: CREDENTIALS });
  const answers = new Answers();
  const waiting = [];
  let wake;
  let isOver = false;
  // The bytes are made once: what the caller does to get them is not counted against the pipeline.
  const bytes = Buffer.from(EVENT);
  async function* body() {
    for (;;) {
      while (waiting.length > 0) {
        waiting.shift()();
        yield { PayloadPart: { Bytes: bytes, DataType: 'UTF8' } };
      }
      if (isOver) return;
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  }
  const send = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      wake?.();
    });
  // It resolves with the first answer, so the first event must not wait for it.
  const invoking = client.invoke('bench', body());
  const reading = (async () => {
    const { Body } = await invoking;
    for await (const { PayloadPart } of Body) answers.add(PayloadPart.Bytes.length > 0 ? 1 : 0);
  })();
  await drive({ send, answers }, plan);
  isOver = true;
  wake?.();
  await reading;
  client.destroy();
}

/** The same bytes with nothing but what nobody can leave out: HTTP/2, two checksums, a hash, an HMAC. */
async function floorClient(url, plan) {
  const session = http2.connect(url);
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  const bytes = Buffer.alloc(5700, 97);
  bytes.writeUInt32BE(bytes.length);
  const key = Buffer.alloc(32, 1);
  const answers = new Answers();
  let heard = 0;
  stream.on('data', (chunk) => {
    heard += chunk.length;
    answers.add(Math.floor(heard / ANSWER.length) - answers.count);
  });
  const send = async () => {
    crc32(bytes);
    crc32(bytes);
    const hashed = createHash('sha256').update(bytes).digest('hex');
    createHmac('sha256', key).update(hashed).digest();
    stream.write(bytes);
  };
  await drive({ send, answers }, plan);
  session.destroy();
}

/** So many sessions at the rate of speech through the stand-in; prints how late answers were. */
async function loadClient(url, { sessions, seconds }) {
  const { createSageMakerConnect } = await import('@kikitori/sagemaker/client');
  const { LOCAL_CREDENTIALS } = await import('@kikitori/sagemaker/stand-in');
  const connect = createSageMakerConnect({
    endpointName: 'bench',
    region: REGION,
    endpointUrl: url,
    credentials: LOCAL_CREDENTIALS,
  });
  const connections = [];
  for (let index = 0; index < sessions; index += 1) connections.push(await connect({ url: '' }));
  const latenciesMs = [];
  const sentAt = connections.map(() => []);
  const readings = connections.map(async (connection, index) => {
    for await (const _ of connection.messages) latenciesMs.push(performance.now() - sentAt[index].shift());
  });
  console.log('ready');
  const timers = connections.map(
    (connection, index) =>
      new Promise((resolve) => {
        // Spread over the period, as people are.
        setTimeout(
          () =>
            resolve(
              setInterval(() => {
                sentAt[index].push(performance.now());
                connection.send(EVENT).catch(() => undefined);
              }, 128),
            ),
          (index / sessions) * 128,
        );
      }),
  );
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  for (const timer of timers) clearInterval(await timer);
  const sorted = latenciesMs.sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  console.log(JSON.stringify({ answers: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }));
  await Promise.all(connections.map((connection) => connection.close()));
  await Promise.all(readings);
}

const ROLES = {
  sink,
  container,
  standIn,
  ours: oursClient,
  stock: stockClient,
  floor: floorClient,
  load: loadClient,
};
const [role, url, plan] = process.argv.slice(2);
await ROLES[role](url, plan === undefined ? undefined : JSON.parse(plan));
