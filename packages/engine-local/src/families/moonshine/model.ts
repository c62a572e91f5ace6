/**
 * One Moonshine model on this thread: samples in, tokens out, with the moment each token was heard at.
 * Paper: "Moonshine: Speech Recognition for Live Transcription and Voice Commands" (arXiv 2410.15608).
 */
import { readFile } from 'node:fs/promises';
import type { DecodeRequest, DecodeResult } from '@kikitori/engine';
import type * as ort from 'onnxruntime-node';
import { InferenceSession, Tensor } from '../../onnx/runtime.js';
import type { LoadedModel, ModelFiles } from '../family.js';
import { type AlignmentHead, alignmentHeads } from './alignment.js';
import { splitMergedDecoder } from './merged-decoder.js';
import { BEGIN_TOKEN, END_TOKEN } from './token-text.js';

const SAMPLES_PER_MS = 16;
/** So many tokens in a row that look back this far are a loop, not speech: the rest is not worth its time. */
const BACKWARD_TOKENS_MAX = 8;
const BACKWARD_MS = 300;
/** Below this mean an answer that had to be forced is no better than none. */
const FORCED_LOG_PROBABILITY_MIN = -0.7;
/** Of every Moonshine that was published. */
const HEADS_PER_LAYER = 8;
const HIDDEN = 'encoder_hidden_states';

type Tensors = Record<string, ort.Tensor>;

/** Options of every session: one thread, so that two decodes use two cores and the caller says how many run. */
const SESSION_OPTIONS: ort.InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  enableMemPattern: false,
  logSeverityLevel: 3,
};

export class MoonshineModel implements LoadedModel {
  readonly #encoder: ort.InferenceSession;
  readonly #first: ort.InferenceSession;
  readonly #withPast: ort.InferenceSession;
  readonly #attentionNames: readonly string[];
  readonly #heads: readonly AlignmentHead[];

  private constructor(
    sessions: Readonly<Record<'encoder' | 'first' | 'withPast', ort.InferenceSession>>,
    attentionNames: readonly string[],
    heads: readonly AlignmentHead[],
  ) {
    this.#encoder = sessions.encoder;
    this.#first = sessions.first;
    this.#withPast = sessions.withPast;
    this.#attentionNames = attentionNames;
    this.#heads = heads;
  }

  /** Loads the files; throws what the runtime throws when they are damaged or of another kind. */
  static async load(files: ModelFiles): Promise<MoonshineModel> {
    const { encoder: encoderFile, decoder: decoderFile } = files;
    if (encoderFile === undefined || decoderFile === undefined) throw new TypeError('a file is missing');
    const decoder = splitMergedDecoder(await readFile(decoderFile));
    const encoder = await InferenceSession.create(encoderFile, SESSION_OPTIONS);
    const first = await InferenceSession.create(decoder.first, SESSION_OPTIONS);
    const withPast = await InferenceSession.create(decoder.withPast, SESSION_OPTIONS);
    return new MoonshineModel(
      { encoder, first, withPast },
      decoder.attentionNames,
      alignmentHeads(decoder.layers, HEADS_PER_LAYER),
    );
  }

  async decode(request: DecodeRequest): Promise<DecodeResult> {
    const { prefix, draft, tokensMax } = request;
    const input = new Tensor('float32', request.samples, [1, request.samples.length]);
    const { last_hidden_state: hidden } = await this.#encoder.run({ input_values: input });
    if (hidden === undefined) throw new TypeError('the encoder gave no hidden state');
    const frameMs = request.samples.length / SAMPLES_PER_MS / (hidden.dims[1] ?? 1);
    const result: DecodeResult = { tokens: [], logProbabilities: [], entropies: [], endMs: [], ended: false };

    const fed = [BEGIN_TOKEN, ...prefix, ...draft.slice(0, tokensMax)];
    let output = await this.#first.run({ [HIDDEN]: hidden, input_ids: tokenTensor(fed) });
    const audioMemory = pick(output, /^present\.\d+\.encoder\./);
    let kept = prefix.length;
    let step = best(output, kept);
    const isForced = request.mustSpeak === true && step.token === END_TOKEN && draft.length === 0;
    if (isForced) step = best(output, kept, END_TOKEN);
    for (const guess of draft) {
      if (step.token !== guess || result.tokens.length >= tokensMax) break;
      result.tokens.push(step.token);
      result.logProbabilities.push(step.logProbability);
      result.entropies.push(step.entropy);
      kept += 1;
      step = best(output, kept);
    }
    for (let row = 1; row <= kept; row += 1) result.endMs.push(this.#heardMs(output, row, frameMs));

    let furthestMs = Math.max(0, ...result.endMs);
    let backward = 0;
    let memory = truncated(pick(output, /^present\.\d+\.decoder\./), kept + 1);
    while (step.token !== END_TOKEN && result.tokens.length < tokensMax && backward < BACKWARD_TOKENS_MAX) {
      result.tokens.push(step.token);
      result.logProbabilities.push(step.logProbability);
      result.entropies.push(step.entropy);
      output = await this.#withPast.run({
        input_ids: tokenTensor([step.token]),
        ...(this.#withPast.inputNames.includes(HIDDEN) ? { [HIDDEN]: hidden } : {}),
        ...audioMemory,
        ...memory,
      });
      memory = pick(output, /^present\.\d+\.decoder\./);
      const heardMs = this.#heardMs(output, 0, frameMs);
      result.endMs.push(heardMs);
      backward = heardMs < furthestMs - BACKWARD_MS ? backward + 1 : 0;
      furthestMs = Math.max(furthestMs, heardMs);
      step = best(output, 0);
    }
    if (isForced && mean(result.logProbabilities.slice(1)) < FORCED_LOG_PROBABILITY_MIN) {
      return {
        ...result,
        tokens: [],
        logProbabilities: [],
        entropies: [],
        endMs: result.endMs.slice(0, prefix.length),
        ended: true,
      };
    }
    return { ...result, ended: step.token === END_TOKEN };
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#encoder.release(), this.#first.release(), this.#withPast.release()]);
  }

  /** The moment that the token at position `row` was heard: the median of the alignment heads. */
  #heardMs(output: ort.InferenceSession.OnnxValueMapType, row: number, frameMs: number): number {
    const moments: number[] = [];
    for (const { layer, head, biasMs } of this.#heads) {
      const tensor = output[this.#attentionNames[layer] ?? ''];
      if (tensor === undefined) continue;
      const [, , rows = 0, frames = 0] = tensor.dims;
      const start = (head * rows + row) * frames;
      const data = (tensor.data as Float32Array).subarray(start, start + frames); // Declared as floats.
      moments.push((indexOfMax(data) + 0.5) * frameMs - biasMs);
    }
    moments.sort((a, b) => a - b);
    return Math.max(0, moments[moments.length >> 1] ?? 0);
  }
}

function indexOfMax(values: Float32Array): number {
  let index = 0;
  for (let i = 1; i < values.length; i += 1) if ((values[i] ?? 0) > (values[index] ?? 0)) index = i;
  return index;
}

function tokenTensor(tokens: readonly number[]): ort.Tensor {
  return new Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]);
}

/** The `present.*` outputs that match, under the names of the inputs they become. */
function pick(output: ort.InferenceSession.OnnxValueMapType, pattern: RegExp): Tensors {
  const picked: Tensors = {};
  for (const [name, tensor] of Object.entries(output)) {
    if (pattern.test(name)) picked[name.replace('present', 'past_key_values')] = tensor;
  }
  return picked;
}

function mean(values: readonly number[]): number {
  return values.length === 0
    ? Number.NEGATIVE_INFINITY
    : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The most likely next token after position `row` (other than `forbidden`), its log-probability, and the entropy of all. */
function best(output: ort.InferenceSession.OnnxValueMapType, row: number, forbidden = -1) {
  const logits = output['logits'];
  if (logits === undefined) throw new TypeError('the decoder gave no logits');
  const size = logits.dims[2] ?? 0;
  const data = (logits.data as Float32Array).subarray(row * size, (row + 1) * size); // Declared as floats.
  let token = 0;
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < size; i += 1) {
    const value = data[i] as number; // Inside the bounds; this loop runs 32,768 times a token.
    if (value > top && i !== forbidden) {
      top = value;
      token = i;
    }
  }
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < size; i += 1) {
    const below = (data[i] as number) - top;
    const share = Math.exp(below);
    sum += share;
    weighted += share * below;
  }
  return { token, logProbability: -Math.log(sum), entropy: Math.log(sum) - weighted / sum };
}

/** Key and value memory [1, heads, positions, width], cut to the first `length` positions. */
function truncated(memory: Tensors, length: number): Tensors {
  const cut: Tensors = {};
  for (const [name, tensor] of Object.entries(memory)) {
    const [batch = 1, heads = 0, positions = 0, width = 0] = tensor.dims;
    if (positions <= length) {
      cut[name] = tensor;
      continue;
    }
    const from = tensor.data as Float32Array; // Keys and values are floats in every export.
    const to = new Float32Array(heads * length * width);
    for (let head = 0; head < heads; head += 1) {
      const start = head * positions * width;
      to.set(from.subarray(start, start + length * width), head * length * width);
    }
    cut[name] = new Tensor('float32', to, [batch, heads, length, width]);
  }
  return cut;
}
