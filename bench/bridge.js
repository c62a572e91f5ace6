/**
 * What a bridge between SageMaker and a Realtime server costs: processor time for a message, added latency, memory of an
 * idle session. Ours beside nginx doing the same path rewrite, a relay of the `ws` package, and a FastAPI bridge after
 * the description in AWS's post, once as its libraries do by default (compressing what goes to the model server) and
 * once with that turned off; each in a process of its own, in turns, within one run.
 *
 *   node bench/bridge.js [--quick] [--sessions 1,100,300,800] [--seconds 4] [--rounds 3] [--idle 500] [--peers kikitori,nginx]
 *   node bench/bridge.js --ways NODE,NODE    our bridge on these builds of Node, with and without `adopt.ts` and `slab.ts`
 *
 * Each session sends 4 KB of audio every 128 ms: a frame of 5,511 bytes of base64 JSON, binary, as SageMaker delivers what
 * a client does not mark as text (nginx cannot turn it into text; the others do). For each there is one answer of 46 bytes.
 * Processor time is user and system time of the bridge's process, by message and its answer. Latency is from sending a
 * message to its answer, less the same without a bridge. Each bridge is warmed up first. Where there are several
 * rounds the median of them counts.
 */
import { fork } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FASTAPI, FASTAPI_UNCOMPRESSED, NGINX, PEERS, startUpstream, waysOn } from './lib/bridge/peers.js';
import { cpuSeconds, residentBytes } from './lib/processes.js';
import { argument, header, median, row, say } from './lib/table.js';

const here = dirname(fileURLToPath(import.meta.url));
const isQuick = process.argv.includes('--quick');
const counts = argument('sessions', isQuick ? '100,300' : '1,100,300,800')
  .split(',')
  .filter(Boolean)
  .map(Number);
const seconds = Number(argument('seconds', isQuick ? '2' : '4'));
const rounds = Number(argument('rounds', isQuick ? '1' : '3'));
const idleSessions = Number(argument('idle', '500'));
const wanted = argument('peers', '').split(',').filter(Boolean);
const nodes = argument('ways', '').split(',').filter(Boolean);
/** Open before the first look at memory: what is made and compiled once is not what a session costs. */
const WARM_SESSIONS = 100;
const SETTLE_MS = 2_000;
const WARM_UP_SESSIONS = 300;
const WARM_UP_SECONDS = isQuick ? 2 : 5;

/** The clients, in a process of their own; a task at a time. */
function startLoad() {
  const child = fork(join(here, 'lib', 'bridge', 'load.js'));
  const run = (task, onNote = () => undefined) =>
    new Promise((resolve, reject) => {
      let measured;
      const onMessage = (note) => {
        onNote(note);
        if (note.measured !== undefined) measured = note.measured;
        if (note.failed === undefined && note.done === undefined) return;
        child.off('message', onMessage);
        if (note.failed !== undefined) reject(new Error(note.failed));
        else resolve(measured);
      };
      child.on('message', onMessage);
      child.send(task);
    });
  return { run, stop: () => child.kill('SIGTERM') };
}

/** One peer at one number of sessions. */
async function talk(load, { url, pid }, sessions, duration = seconds) {
  await load.run({ open: url, sessions });
  let before = 0;
  let after = 0;
  const result = await load.run({ measure: duration }, (note) => {
    if (pid === undefined) return;
    if (note.counting !== undefined) before = cpuSeconds(pid);
    if (note.counted !== undefined) after = cpuSeconds(pid);
  });
  await load.run({ close: true });
  return { ...result, cpuUs: ((after - before) * 1e6) / result.answered };
}

async function memory(peer, upstream) {
  const running = await peer.start(upstream);
  const load = startLoad();
  await load.run({ open: running.url, sessions: WARM_SESSIONS });
  await settle();
  const before = residentBytes(running.pid);
  await load.run({ open: running.url, sessions: idleSessions });
  await settle();
  const after = residentBytes(running.pid);
  await load.run({ close: true });
  load.stop();
  await running.stop();
  return (after - before) / idleSessions;
}

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

const peers = (nodes.length > 0 ? waysOn(nodes) : PEERS)
  .filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  .filter(({ name, missing }) => {
    const why = missing();
    if (why !== undefined) say(`SKIPPED ${name}: ${why}`);
    return why === undefined;
  });
const upstream = await startUpstream();

/** `results[sessions][name]`: one entry a round. */
const results = new Map(counts.map((count) => [count, new Map()]));
const note = (count, name, result) => {
  const byName = results.get(count);
  byName.set(name, [...(byName.get(name) ?? []), result]);
};
const DIRECT = 'no bridge';

const load = startLoad();
const running = [];
for (const peer of peers) running.push({ name: peer.name, ...(await peer.start(upstream.url)) });
// Compiled code is what runs for hours.
for (const peer of running) await talk(load, peer, WARM_UP_SESSIONS, WARM_UP_SECONDS);
for (const count of counts) {
  for (let round = 0; round < rounds; round += 1) {
    note(count, DIRECT, await talk(load, { url: upstream.url }, count));
    for (const peer of running) note(count, peer.name, await talk(load, peer, count));
  }
}
for (const { stop } of running) await stop();
load.stop();

say('\nProcessor time for a message and its answer, µs; added latency, ms\n');
header([
  'sessions',
  'bridge',
  'CPU µs',
  'of nginx',
  'of FastAPI',
  'of FastAPI, uncompressed',
  'p50 added',
  'p99 added',
  'answered in time',
]);
for (const [count, byName] of results) {
  const of = (name, figure) => median((byName.get(name) ?? [{}]).map((one) => one[figure] ?? Number.NaN));
  const ratio = (name, to) => {
    const perRound = (byName.get(name) ?? []).map(
      ({ cpuUs }, i) => cpuUs / (byName.get(to)?.[i]?.cpuUs ?? Number.NaN),
    );
    const value = median(perRound);
    return Number.isFinite(value) ? value.toFixed(2) : '–';
  };
  for (const { name } of running) {
    const added = (figure) => (of(name, figure) - of(DIRECT, figure)).toFixed(2);
    const share = of(name, 'answered') / of(name, 'due');
    row([
      count,
      name,
      of(name, 'cpuUs').toFixed(0),
      ratio(name, NGINX),
      ratio(name, FASTAPI),
      ratio(name, FASTAPI_UNCOMPRESSED),
      added('p50Ms'),
      added('p99Ms'),
      `${(100 * Math.min(share, 1)).toFixed(0)} %`,
    ]);
  }
}

say(`\nMemory for an idle session (${idleSessions} of them)\n`);
header(['bridge', 'KB']);
for (const peer of peers) row([peer.name, ((await memory(peer, upstream.url)) / 1024).toFixed(1)]);
await upstream.stop();
