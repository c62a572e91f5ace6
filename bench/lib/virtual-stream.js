/**
 * The real recogniser and the real models in virtual time: audio arrives frame by frame at the pace of speech, and a
 * decode takes what it takes on one thread of the machine that docs/benchmarks.md speaks of. The same run always says
 * the same, on whatever machine and however busy. What a model answered is remembered in the temporary folder, so that
 * a second run over the same audio, by another recogniser, costs only what it asks otherwise.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ENDPOINT_RULES, findEndpoint } from '@kikitori/engine';
import { resolveModel } from '@kikitori/engine-local';

const SAMPLES_PER_MS = 16;
const FRAME_SAMPLES = 512;
const FRAME_MS = FRAME_SAMPLES / SAMPLES_PER_MS;

/** Milliseconds that a decode takes: a second of window, the start, a token that is read, a token that is found. */
const COSTS = {
  tiny: { second: 12, start: 10, read: 0.65, found: 4.8 },
  base: { second: 28, start: 22, read: 1.0, found: 7.7 },
};

/** What a model answered to what it was asked, kept from run to run. */
class Memory {
  #known = new Map();
  #path;

  constructor(name) {
    const folder = join(tmpdir(), 'kikitori-virtual');
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, `${name}.jsonl`);
    if (!existsSync(this.#path)) return;
    for (const line of readFileSync(this.#path, 'utf8').split('\n')) {
      try {
        const [key, value] = JSON.parse(line);
        this.#known.set(key, value);
      } catch {
        // The last line of a run that was broken off.
      }
    }
  }

  async recall(samples, rest, ask) {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    const key = createHash('sha1').update(bytes).update(JSON.stringify(rest)).digest('base64');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = await ask();
    this.#known.set(key, value);
    appendFileSync(this.#path, `\n${JSON.stringify([key, value])}`);
    return value;
  }
}

const memories = new Map();

/** One for each name, so that two builds share it. */
function memoryOf(name) {
  const memory = memories.get(name) ?? new Memory(name);
  memories.set(name, memory);
  return memory;
}

/** What a build of the engine answers with: a checkout that was built, so that two can be compared. */
export async function virtualEngine(name, checkout) {
  const part = (path) => import(pathToFileURL(join(checkout, 'packages', path)).href);
  const [
    { Recogniser, loudEnoughToNotice, policyOf, UNHEARD },
    { familyOf },
    { SileroVad, createSileroState },
  ] = await Promise.all(
    [
      'engine/dist/recognition/index.js',
      'engine-local/dist/families/index.js',
      'engine-local/dist/vad/silero.js',
    ].map(part),
  );
  const { kind, files } = await resolveModel(name);
  const family = familyOf(kind);
  const vocabulary = await family.vocabulary(files);
  let model;
  let vad;
  const loadModel = () => family.load(files);
  const loadVad = async () => SileroVad.load((await resolveModel('silero')).files.v5);
  // Another way of asking the model makes other answers; where the runtime comes from does not.
  const code = ['model.js', 'merged-decoder.js'].map((path) =>
    readFileSync(join(checkout, 'packages', 'engine-local', 'dist', 'families', kind, path), 'utf8'),
  );
  const version = createHash('sha1')
    .update(code.join('').replace(/^import .*$|\bort\.|\s/gm, ''))
    .digest('hex')
    .slice(0, 8);
  const decodes = memoryOf(`${name}-${version}`);
  const voices = memoryOf('silero');
  const costs = COSTS[name];

  const voiceOf = async (audio) => {
    // A checkout from before it heard quiet speech.
    const samples = loudEnoughToNotice?.(audio, UNHEARD, policyOf()).samples ?? audio;
    const ask = async () => {
      vad ??= await loadVad();
      return Array.from(await vad.probabilities(samples, createSileroState()));
    };
    return Float32Array.from(await voices.recall(samples, 0, ask));
  };

  /**
   * Hears `samples`: the first `atOnceMs` of them wait already, as they do for a session that begins anew. Returns the
   * words (each with the moment it was said, on the audio's timeline), the speech probability of each frame, and what it cost: decodes, and virtual milliseconds spent in them.
   */
  const hear = async (
    samples,
    { mode = 'live', atOnceMs = 0, policy = {}, doubt, onDecode, onSaid } = {},
  ) => {
    const rules = (utteranceMs, trailingSilenceMs) =>
      findEndpoint(ENDPOINT_RULES, { speechMs: Math.max(1, utteranceMs), trailingSilenceMs, utteranceMs })
        ?.name;
    const recogniser = new Recogniser({
      policy: policyOf(policy),
      vocabulary,
      mode,
      partials: false,
      endpoint: rules,
      doubt,
    });
    const voice = await voiceOf(samples);
    let now = 0;
    const words = [];
    const spent = { decodes: 0, ms: 0, windowMs: 0 };
    const take = () => {
      for (const said of recogniser.drain()) {
        if (said.type === 'words')
          words.push(...said.words.map((word) => ({ ...word, saidMs: now + atOnceMs })));
        onSaid?.(said, now);
      }
    };
    let running;
    const work = async () => {
      const plan = running === undefined ? recogniser.plan() : undefined;
      take();
      if (plan === undefined) return;
      const request = recogniser.begin(plan);
      const { samples: heard, prefix, draft, tokensMax, mustSpeak } = request;
      const result = await decodes.recall(heard, [prefix, draft, tokensMax, mustSpeak], async () => {
        model ??= await loadModel();
        return model.decode(request);
      });
      let verified = 0;
      while (verified < draft.length && draft[verified] === result.tokens[verified]) verified += 1;
      const ms =
        (costs.second * heard.length) / 16_000 +
        costs.start +
        costs.read * (1 + prefix.length + draft.length) +
        costs.found * (result.tokens.length - verified + 1);
      spent.decodes += 1;
      spent.ms += ms;
      spent.windowMs += heard.length / SAMPLES_PER_MS;
      running = { until: now + ms, result };
      onDecode?.({ now, plan, request, result });
    };
    const finish = async () => {
      now = running.until;
      const { result } = running;
      running = undefined;
      recogniser.finish(result);
      take();
      await work();
    };
    for (let frame = 0; frame * FRAME_SAMPLES < samples.length; frame += 1) {
      const arrives = Math.max(0, (frame + 1) * FRAME_MS - atOnceMs);
      while (running !== undefined && running.until <= arrives) await finish();
      now = Math.max(now, arrives);
      recogniser.pushAudio(samples.slice(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES));
      recogniser.pushProbabilities(voice.subarray(frame, frame + 1));
      // What comes at once is there before anything is decoded.
      if (frame * FRAME_MS + FRAME_MS >= atOnceMs) await work();
    }
    while (running !== undefined) await finish();
    recogniser.flush(1);
    await work();
    while (running !== undefined) await finish();
    return { words, voice, spent };
  };

  return {
    hear,
    async dispose() {
      await Promise.all([model?.dispose(), vad?.dispose()]);
    },
  };
}
