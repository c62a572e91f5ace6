/**
 * A large file from the hub to S3, both on loopback: how much memory the copy takes at its peak, how fast it is, and what a copy
 * that broke off half way costs the second time; beside AWS's own `Upload` of @aws-sdk/lib-storage in the same run. Prints a
 * Markdown document.
 *
 *   npm run build && node bench/artefacts.js [--quick] [--gigabytes 3]
 *
 * Each copy runs in a process of its own, which is what is measured; hub and S3 are a third one and share the machine's
 * processors. Both send parts of 16 MiB, eight at once, with a SHA-256 each. Ours also hashes the whole file and compares it
 * with what the hub announced before it completes; `Upload` does not. Rounds are interleaved; the tables show the median.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const at = process.argv.indexOf('--gigabytes');
const isQuick = process.argv.includes('--quick');
const LARGE = Math.round(Number(at === -1 ? 3 : process.argv[at + 1]) * 1e9);
const SMALL = 256 * 1024 * 1024;
const ROUNDS = isQuick ? 1 : 3;
const PROCESSES = fileURLToPath(new URL('./lib/artefact-processes.js', import.meta.url));

function start(...args) {
  // AWS's client would tell us about Node 22 each time.
  const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  const child = spawn(process.execPath, [PROCESSES, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    tell: (text) => child.stdin.write(`${text}\n`),
    answer: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${args[0]} ended without an answer.`);
      return JSON.parse(value);
    },
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function copy(role, place) {
  const { answer, stop } = start(role, JSON.stringify(place));
  const found = await answer();
  await stop();
  return found;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const rowOf = (name, bytes, found) => {
  const of = (key) => median(found.map((one) => one[key]));
  const cpu = (of('cpuSeconds') / (bytes / 1e9)).toFixed(1);
  return `| ${name} | ${(bytes / 1e9).toFixed(2)} | ${of('peakMb').toFixed(0)} | ${(bytes / 1e6 / of('seconds')).toFixed(0)} | ${cpu} |`;
};

async function compare(bytes) {
  const { tell, answer, stop } = start('serve', String(bytes));
  const place = await answer();
  const found = { ours: [], 'lib-storage': [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const role of Object.keys(found)) {
      found[role].push(await copy(role, place));
      tell('forget');
      await answer();
    }
  }
  const half = Math.floor(bytes / (16 * 1024 * 1024) / 2);
  tell(`break ${half}`);
  await answer();
  await copy('ours', place);
  tell('heal');
  const sent = (await answer()).operations;
  const second = await copy('ours', place);
  tell('forget');
  const resent = (await answer()).operations;
  await stop();
  return { found, second, sent, resent };
}

const small = await compare(SMALL);
const large = await compare(LARGE);
const parts = Math.ceil(LARGE / (16 * 1024 * 1024));
const document = [
  '# Copying a model to S3',
  '',
  '| copy | GB | peak memory, MB | MB/s | processor seconds per GB |',
  '| --- | --- | --- | --- | --- |',
  rowOf('ours', SMALL, small.found.ours),
  rowOf('ours', LARGE, large.found.ours),
  rowOf('lib-storage', SMALL, small.found['lib-storage']),
  rowOf('lib-storage', LARGE, large.found['lib-storage']),
  '',
  `Broken off half way and run again: ${large.resent} of ${parts} parts were sent the second time (${large.sent - 8} to ${large.sent} had been, refused ones among them), in ${large.second.seconds.toFixed(1)} s; the whole takes ${median(large.found.ours.map(({ seconds }) => seconds)).toFixed(1)} s.`,
];
process.stdout.write(`${document.join('\n')}\n`);
