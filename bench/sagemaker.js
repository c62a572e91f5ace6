/**
 * CPU per event of our HTTP/2 client beside AWS's own pipeline on the same exchange, and how many sessions the local
 * stand-in carries on one core. Prints a Markdown document.
 *
 *   npm run build && node bench/sagemaker.js [--quick]
 *
 * What is compared: each client in a process of its own, one stream over HTTP/2 without TLS to one and the same sink
 * process on loopback. An event is 4,096 bytes of audio as base64 in a JSON text (5.5 KB), signed; each is answered with
 * a short text event. Counted is user plus system time of the client process alone, after a warm-up. Rounds are interleaved
 * (ours, AWS's, floor, ours, …); the table shows the median. "One at a time": the next event is sent when the last one is
 * answered, as in live speech. "Sixteen ahead": as when a file is sent.
 *
 * The stock pipeline gets its bytes ready-made and its answers stay bytes; ours takes and gives text. The floor does what
 * nobody can leave out: HTTP/2 of the same sizes, two CRCs, a SHA-256 and an HMAC per event.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const isQuick = process.argv.includes('--quick');
const ROUNDS = isQuick ? 3 : 7;
const PLAN = isQuick ? { events: 1500, warmUp: 500 } : { events: 6000, warmUp: 1000 };
const LOAD = isQuick ? { sessions: 20, seconds: 4 } : { sessions: 100, seconds: 15 };
const PROCESSES = fileURLToPath(new URL('./lib/sagemaker-processes.js', import.meta.url));

/** Starts a role; `line` gives what it prints, line by line. */
function start(...args) {
  // AWS's client would tell us about Node 22 each time.
  const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  const child = spawn(process.execPath, [PROCESSES, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    line: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${args[0]} ended without an answer.`);
      return value;
    },
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function cpuOf(client, url, plan) {
  const { line, stop } = start(client, url, JSON.stringify(plan));
  const { cpuUs } = JSON.parse(await line());
  await stop();
  return cpuUs;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const figure = (value, digits = 1) => value.toFixed(digits);

async function compare() {
  const sink = start('sink');
  const url = await sink.line();
  const rows = [];
  for (const [what, ahead] of [
    ['one at a time', 1],
    ['sixteen ahead', 16],
  ]) {
    const found = { ours: [], stock: [], floor: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const client of Object.keys(found))
        found[client].push(await cpuOf(client, url, { ...PLAN, ahead }));
    }
    const [ours, stock, floor] = [median(found.ours), median(found.stock), median(found.floor)];
    const ratios = found.ours.map((value, round) => value / found.stock[round]).sort((a, b) => a - b);
    rows.push(
      `| ${what} | ${figure(ours)} | ${figure(stock)} | ${figure(floor)} | **${figure(ours / stock, 2)}** ` +
        `(${figure(ratios[0], 2)}–${figure(ratios.at(-1), 2)}) |`,
    );
  }
  await sink.stop();
  return [
    '| events sent | ours, µs/event | AWS pipeline, µs/event | floor, µs/event | ours ÷ AWS (range over the rounds) |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows,
  ].join('\n');
}

async function sessions() {
  const container = start('container');
  const standIn = start('standIn', await container.line());
  const load = start('load', await standIn.line(), JSON.stringify(LOAD));
  await load.line();
  const cpuUs = async () => {
    standIn.child.stdin.write('?\n');
    return Number(await standIn.line());
  };
  const before = await cpuUs();
  const beganAt = performance.now();
  const { answers, p50Ms, p99Ms } = JSON.parse(await load.line());
  const share = ((await cpuUs()) - before) / 1000 / (performance.now() - beganAt);
  for (const { stop } of [load, standIn, container]) await stop();
  return [
    '| sessions | events | CPU of the stand-in | µs per event and answer | p50 / p99 to the answer | sessions per core |',
    '| ---: | ---: | ---: | ---: | ---: | ---: |',
    `| ${LOAD.sessions} | ${answers} | ${figure(share * 100)} % | ${figure((share * LOAD.seconds * 1e6) / answers)} ` +
      `| ${figure(p50Ms)} / ${figure(p99Ms)} ms | ${Math.floor(LOAD.sessions / share)} |`,
  ].join('\n');
}

const model = cpus()[0]?.model ?? 'unknown processor';
console.log(`# SageMaker: client and stand-in\n\nNode ${process.version}, ${cpus().length} × ${model}.\n`);
console.log(`## CPU per event, ${PLAN.events} events, median of ${ROUNDS} rounds\n\n${await compare()}\n`);
console.log(
  `## Sessions through the stand-in: 4 KB of audio every 128 ms each, without TLS\n\n${await sessions()}\n\n` +
    'Sessions per core: what one core would carry if the share of CPU stays the same per session.',
);
