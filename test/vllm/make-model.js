#!/usr/bin/env node
/**
 * A model folder for vLLM with the architecture of Voxtral Realtime and next to nothing in it, so that a CPU runs it. There are
 * no weights: vLLM fills it with noise (`--load-format dummy`), and its words mean nothing. What the wire shows is
 * decided by what is copied from the real one: rate, frame, delay, padding, and which tokens are not written.
 *
 *     node test/vllm/make-model.js FOLDER [--delay-ms 480]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const RATE_HZ = 16_000;
const FRAMES_PER_S = 12.5;
/** Tokens that are never written; the real model has 1,000. */
const CONTROLS = 64;
/** mistral-common looks for each of these names; its place in the list is the token, and 32 and 33 are the real ones. */
const CONTROL_NAMES = [
  ...['<unk>', '<s>', '</s>'],
  ...['[INST]', '[/INST]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]', '[TOOL_RESULTS]', '[/TOOL_RESULTS]'],
  ...['[TOOL_CALLS]', '[IMG]', '<pad>', '[IMG_BREAK]', '[IMG_END]', '[PREFIX]', '[MIDDLE]', '[SUFFIX]'],
  ...['[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CONTENT]', '[ARGS]', '[CALL_ID]', '[THINK]', '[/THINK]'],
  ...['[AUDIO]', '[BEGIN_AUDIO]', ...[26, 27, 28, 29, 30, 31].map(unused)],
  ...['[STREAMING_PAD]', '[STREAMING_WORD]', '[TRANSCRIBE]'],
];
const MEL = { num_mel_bins: 128, window_size: 400, hop_length: 160 };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'delay-ms': { type: 'string', default: '480' } },
});
const [folder] = positionals;
const delayMs = Number(values['delay-ms']);
if (folder === undefined || positionals.length > 1 || !(delayMs > 0 && delayMs % 80 === 0)) {
  console.error('make-model.js FOLDER [--delay-ms N]: one folder, and a multiple of 80.');
  process.exit(2);
}
const pieces = vocabulary();
const vocabularySize = CONTROLS + pieces.length;
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'tekken.json'), `${JSON.stringify(tokenizer())}\n`);
await writeFile(join(folder, 'params.json'), `${JSON.stringify(parameters())}\n`);

function unused(rank) {
  return `<SPECIAL_${rank}>`;
}

/** Every byte, as the format wants it, and some words so that noise makes text. */
function vocabulary() {
  const bytes = Array.from({ length: 256 }, (_, value) => Buffer.from([value]));
  const words = [];
  for (const first of 'bdfglmnprstv') {
    for (const vowel of 'aeiou') {
      for (const last of 'lmnrst') words.push(Buffer.from(` ${first}${vowel}${last}`));
    }
  }
  return [...bytes, ...words];
}

function tokenizer() {
  const vocab = pieces.map((piece, rank) => ({
    rank,
    token_bytes: piece.toString('base64'),
    token_str: piece.toString('utf8'),
  }));
  const special_tokens = Array.from({ length: CONTROLS }, (_, rank) => ({
    rank,
    token_str: CONTROL_NAMES[rank] ?? unused(rank),
    is_control: true,
  }));
  const config = {
    version: 'v13',
    pattern: ' ?\\p{L}+| ?\\p{N}+|\\s+| ?[^\\s\\p{L}\\p{N}]+',
    num_vocab_tokens: pieces.length,
    default_vocab_size: vocabularySize,
    default_num_special_tokens: CONTROLS,
  };
  const audio = {
    sampling_rate: RATE_HZ,
    frame_rate: FRAMES_PER_S,
    audio_encoding_config: MEL,
    chunk_length_s: null,
    transcription_format: 'streaming',
    transcription_delay_ms: delayMs,
    streaming_look_ahead_ms: 2.5,
    streaming_look_back_ms: 52.5,
    streaming_n_left_pad_tokens: 32,
  };
  return { config, vocab, special_tokens, audio };
}

/** A language model of two layers, and an encoder of two. */
function parameters() {
  const shared = { n_layers: 2, vocab_size: vocabularySize, rope_theta: 1_000_000, causal: true };
  const encoder_args = {
    ...shared,
    audio_encoding_args: {
      ...MEL,
      sampling_rate: RATE_HZ,
      frame_rate: FRAMES_PER_S,
      global_log_mel_max: 1.5,
      transcription_format: 'streaming',
    },
    dim: 64,
    hidden_dim: 128,
    head_dim: 32,
    n_heads: 4,
    n_kv_heads: 4,
    use_biases: true,
    pos_embed: 'rope',
    max_source_positions: null,
    ffn_type: 'swiglu',
    norm_type: 'rms_norm',
    sliding_window: 750,
  };
  return {
    ...shared,
    dim: 128,
    hidden_dim: 256,
    head_dim: 64,
    n_heads: 4,
    n_kv_heads: 2,
    norm_eps: 0.00001,
    use_biases: false,
    tied_embeddings: true,
    sliding_window: 8192,
    max_position_embeddings: 16_384,
    ada_rms_norm_t_cond: true,
    ada_rms_norm_t_cond_dim: 32,
    multimodal: { whisper_model_args: { encoder_args, downsample_args: { downsample_factor: 4 } } },
  };
}
