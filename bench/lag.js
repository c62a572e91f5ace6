/**
 * How soon words come: from the end of a word to its delta, as a client sees it over a WebSocket, for several
 * speakers at the pace of speech.
 *
 *   node bench/lag.js [--model base] [--speakers 1,2,4,6,8] [--seconds 60] [--continuous 600] [--serve "--threads 2"]
 *                     [--unpaced 4] [--rounds 3] [--clips 12]
 *
 * When a word ended is known from decoding its whole clip at once, with all the context there is, and asking the
 * decoder's attention where the word's last piece was heard; on synthetic speech with known phone times that is right
 * to 0.02 s (median) and 0.06 s (90th percentile). Words that the stream heard otherwise have no such time and are
 * left out. Each speaker plays other clips in another order, joined with 0.4 s of silence, without end.
 * `--continuous` then plays one speaker for so many seconds without any pause (the silence inside clips is cut out),
 * and compares the lag of the first and the last minute. `--unpaced` lets one speaker speak alone and beside so many
 * clients who send as fast as they can, in turns and so many rounds, and compares the two: the ratio says something on a
 * busy machine as well.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connect } from '@kikitori/client';
import { oneShot } from './lib/one-shot.js';
import { startServer } from './lib/server.js';
import { argument, collection, englishClips, percentile, samplesOf, table } from './lib/speech.js';
import { spokenWords } from './lib/wer.js';

const model = argument('model', 'base');
const seconds = Number(argument('seconds', '60'));
const counts = argument('speakers', '1,2,4,6,8').split(',').filter(Boolean).map(Number);
const continuousSeconds = Number(argument('continuous', '0'));
const unpacedCount = Number(argument('unpaced', '0'));
const rounds = Number(argument('rounds', '3'));
const clipsMax = Number(argument('clips', '1000'));
const serveArgs = argument('serve', '').split(' ').filter(Boolean);
const CHUNK = 1280;
const GAP = 6400;
const PAUSE_RULE_MS = 600;

/** Clips with their samples and the end of each word. */
async function load() {
  const reference = await oneShot(model);
  const clips = [];
  const suited = englishClips().filter(
    ({ kind, seconds: length }) => !kind.includes('derived') && length > 4 && length < 20,
  );
  for (const clip of suited.slice(0, clipsMax)) {
    const samples = await samplesOf(clip.path);
    clips.push({ samples, words: await reference.words(samples) });
  }
  await reference.dispose();
  return clips;
}

/** One speaker's audio: clips from a different place in the list each, at least `length` seconds. */
function speaker(clips, index, length) {
  const parts = [];
  const words = [];
  let at = 0;
  for (let i = 0; at < length * 16_000; i += 1) {
    const clip = clips[(index * 7 + i * (index + 1)) % clips.length];
    parts.push(clip.samples, new Float32Array(GAP));
    words.push(...clip.words.map(({ text, endMs }) => ({ text, endMs: endMs + at / 16 })));
    at += clip.samples.length + GAP;
  }
  return { samples: joined(parts), words };
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Speech without a pause: clips whose quiet stretches longer than 0.15 s are cut to that. */
function withoutPauses(clips, length) {
  const parts = [];
  let total = 0;
  for (let i = 0; total < length * 16_000; i += 1) {
    const part = squeeze(clips[i % clips.length].samples);
    parts.push(part);
    total += part.length;
  }
  return { samples: joined(parts), words: [] };
}

function squeeze(samples) {
  const frame = 160;
  const kept = [];
  let quiet = 0;
  let peak = 0;
  for (const value of samples) peak = Math.max(peak, Math.abs(value));
  for (let at = 0; at + frame <= samples.length; at += frame) {
    const piece = samples.subarray(at, at + frame);
    const level = Math.sqrt(piece.reduce((sum, value) => sum + value * value, 0) / frame);
    quiet = level < peak * 0.02 ? quiet + 1 : 0;
    if (quiet <= 12) kept.push(piece);
  }
  return joined(kept);
}

/** Plays one speaker to the server and notes when what came. */
async function listen(url, { samples }, limitSeconds) {
  const session = await connect({ url, model: `moonshine-${model}`, words: true });
  const heard = [];
  const utterances = [];
  const progress = [];
  const start = performance.now();
  const reading = (async () => {
    for await (const event of session) {
      const atMs = performance.now() - start;
      if (event.type === 'delta')
        for (const text of event.text.trim().split(' ')) heard.push({ text, atMs, audioMs: event.audioMs });
      if (event.type === 'utterance') utterances.push({ atMs, ...event });
      if (event.type === 'progress') progress.push({ atMs, lagMs: event.receivedMs - event.settledMs });
    }
  })();
  const end = Math.min(samples.length, limitSeconds * 16_000);
  for (let at = 0; at < end; at += CHUNK) {
    // A microphone hands a block over when it is full.
    const waitMs = (at + CHUNK) / 16 - (performance.now() - start);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await session.send(samples.subarray(at, Math.min(end, at + CHUNK)));
  }
  const sentMs = performance.now() - start;
  await session.finish();
  const finalMs = performance.now() - start - sentMs;
  await session.close();
  await reading;
  return { heard, utterances, progress, finalMs };
}

/** Lags of the words that both sides have, in order (longest common subsequence of normalised words). */
function wordLags(truth, heard) {
  const a = truth.map(({ text }) => spokenWords(text).join(' '));
  const b = heard.map(({ text }) => spokenWords(text).join(' '));
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      rows[i][j] = a[i] === b[j] ? rows[i + 1][j + 1] + 1 : Math.max(rows[i + 1][j], rows[i][j + 1]);
    }
  }
  const lags = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j] && rows[i][j] === rows[i + 1][j + 1] + 1) {
      // The same word said again a minute later is no match.
      if (Math.abs(heard[j].audioMs - truth[i].endMs) < 1500) lags.push(heard[j].atMs - truth[i].endMs);
      i += 1;
      j += 1;
    } else if (rows[i + 1][j] >= rows[i][j + 1]) i += 1;
    else j += 1;
  }
  return lags;
}

/** Clients who send as fast as they are let; `stop` answers how much of theirs was recognised. Milliseconds. */
async function pour(url) {
  const file = fileURLToPath(new URL('lib/pour.js', import.meta.url));
  const child = spawn(process.execPath, [file, url, `moonshine-${model}`, String(unpacedCount)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    async stop() {
      child.stdin.write('stop\n');
      const { value } = await lines.next();
      return Number(value);
    },
  };
}

/** One speaker, alone and beside clients who send as fast as they can. */
async function besideUnpaced(clips) {
  const server = await startServer(['--model', model, ...serveArgs]);
  const person = speaker(clips, 0, seconds);
  const truth = person.words.filter(({ endMs }) => endMs < seconds * 1000);
  const all = { alone: [], beside: [] };
  let settledMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    all.alone.push(...wordLags(truth, (await listen(server.url, person, seconds)).heard));
    const pouring = await pour(server.url);
    all.beside.push(...wordLags(truth, (await listen(server.url, person, seconds)).heard));
    settledMs += await pouring.stop();
  }
  await server.stop();
  const row = (name, lags) => [
    name,
    `${lags.length} of ${truth.length * rounds}`,
    ms(percentile(lags, 0.5)),
    ms(percentile(lags, 0.95)),
  ];
  const ratio = percentile(all.beside, 0.95) / percentile(all.alone, 0.95);
  const pace = settledMs / (rounds * seconds * 1000);
  process.stdout.write(
    `One speaker, moonshine-${model}, ${collection}, ${rounds} times ${seconds} s alone and beside ${unpacedCount} who send as fast as they can\n\n`,
  );
  table(
    ['speaker', 'words matched', 'word → delta p50', 'p95'],
    [row('alone', all.alone), row(`beside ${unpacedCount}`, all.beside)],
  );
  process.stdout.write(
    `\np95 beside them: ${ratio.toFixed(2)} × that of alone; they were recognised at ${pace.toFixed(1)} × the pace of speech together\n`,
  );
}

const clips = await load();
const ms = (value) => (Number.isNaN(value) ? '–' : `${(value / 1000).toFixed(2)} s`);
if (unpacedCount > 0) await besideUnpaced(clips);
const rows = [];
for (const count of counts) {
  const server = await startServer(['--model', model, '--max-sessions', String(count), ...serveArgs]);
  const people = Array.from({ length: count }, (_, i) => speaker(clips, i, seconds));
  const results = await Promise.all(people.map((person) => listen(server.url, person, seconds)));
  await server.stop();
  const lags = results.flatMap(({ heard }, i) =>
    wordLags(
      people[i].words.filter(({ endMs }) => endMs < seconds * 1000),
      heard,
    ),
  );
  const spoken = people.reduce(
    (sum, { words }) => sum + words.filter(({ endMs }) => endMs < seconds * 1000).length,
    0,
  );
  const ended = results.flatMap(({ utterances }) => utterances);
  const first = results.flatMap(({ heard, utterances }) =>
    utterances.flatMap(({ words, startMs }) => {
      const delta = heard.find(({ audioMs }) => audioMs > startMs);
      return words[0] && delta ? [delta.atMs - words[0].endMs] : [];
    }),
  );
  const finals = ended.slice(0, -1).map(({ atMs, endMs }) => atMs - endMs - PAUSE_RULE_MS);
  rows.push([
    count,
    `${lags.length} of ${spoken}`,
    ms(percentile(lags, 0.5)),
    ms(percentile(lags, 0.95)),
    ms(percentile(first, 0.5)),
    ms(percentile(first, 0.95)),
    ms(percentile(finals, 0.5)),
    ms(percentile(finals, 0.95)),
    ms(
      percentile(
        results.map(({ finalMs }) => finalMs),
        0.95,
      ),
    ),
  ]);
}
if (counts.length > 0)
  process.stdout.write(
    `Lag, moonshine-${model}, ${collection}, ${seconds} s a speaker at the pace of speech\n\n`,
  );
if (counts.length > 0)
  table(
    [
      'speakers',
      'words matched',
      'word → delta p50',
      'p95',
      'first delta p50',
      'p95',
      'utterance after endpoint p50',
      'p95',
      'done after last audio p95',
    ],
    rows,
  );

if (continuousSeconds > 0) {
  const server = await startServer(['--model', model, ...serveArgs]);
  const { progress } = await listen(server.url, withoutPauses(clips, continuousSeconds), continuousSeconds);
  await server.stop();
  const minute = (from) =>
    percentile(
      progress
        .filter(({ atMs }) => atMs >= from * 1000 && atMs < (from + 60) * 1000)
        .map(({ lagMs }) => lagMs),
      0.95,
    );
  process.stdout.write(
    `\nWithout a pause, ${continuousSeconds} s: audio not settled p95, first minute ${ms(minute(0))}, last minute ${ms(minute(continuousSeconds - 60))}\n`,
  );
}
