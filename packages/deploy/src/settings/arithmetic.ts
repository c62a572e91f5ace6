import { checkSettings } from './check-settings.js';
import { containerEnvironment } from './container-environment.js';
import { instanceOf } from './instances.js';
import type { ResolvedSettings } from './settings.js';

/** One token of Voxtral Realtime is 80 ms of audio, spoken or silent. */
export const TOKEN_MS = 80;

/**
 * Voxtral-Mini-4B-Realtime-2602, from its `params.json`: a decoder of 26 layers with 8 KV heads of 128, which looks back 8192 tokens; an encoder
 * of 32 layers with 32 heads of 64, which looks back 750 frames, four to a token. Two bytes a number, keys and values.
 */
const VOXTRAL = {
  weightsGib: 8.3,
  decoderTokenBytes: 26 * 2 * 8 * 128 * 2,
  decoderWindowTokens: 8_192,
  encoderFrameBytes: 32 * 2 * 32 * 64 * 2,
  encoderWindowFrames: 750,
  framesPerToken: 4,
} as const;

/** What vLLM needs beside weights and KV cache (activations, CUDA graphs, the CUDA context): an assumption. */
const WORKING_GIB = 2;
const GIB = 1024 ** 3;
const MINUTE_MS = 60_000;

/** Audio of one session for a number of tokens, in minutes. */
export function minutesOf(tokens: number): number {
  return (tokens * TOKEN_MS) / MINUTE_MS;
}

/** Tokens that so many minutes of audio need. */
export function tokensOf(minutes: number): number {
  return Math.ceil((minutes * MINUTE_MS) / TOKEN_MS);
}

/** KV cache of a session that has said `tokens`, in GiB: it stops growing where the model no longer looks back. */
export function sessionGib(tokens: number): number {
  const decoder = Math.min(tokens, VOXTRAL.decoderWindowTokens) * VOXTRAL.decoderTokenBytes;
  const frames = Math.min(tokens * VOXTRAL.framesPerToken, VOXTRAL.encoderWindowFrames);
  return (decoder + frames * VOXTRAL.encoderFrameBytes) / GIB;
}

/** How the memory of the GPUs that share a model is spent, in GiB, and what fits. */
export interface MemoryBudget {
  readonly totalGib: number;
  readonly takenGib: number;
  readonly weightsGib: number;
  readonly workingGib: number;
  readonly cacheGib: number;
  readonly sessionGib: number;
  /** Sessions at full length that fit; 0 where not even one does. */
  readonly sessionsFit: number;
}

/** The budget of an instance with vLLM. An estimate: vLLM's own log says what it really got. */
export function memoryBudget({ instanceType, vllm }: ResolvedSettings): MemoryBudget {
  const { gpuMemoryGib } = instanceOf(instanceType);
  const totalGib = gpuMemoryGib * vllm.tensorParallelSize;
  const takenGib = totalGib * vllm.gpuMemoryUtilization;
  const workingGib = WORKING_GIB * vllm.tensorParallelSize;
  const cacheGib = Math.max(0, takenGib - VOXTRAL.weightsGib - workingGib);
  const isByte = vllm.kvCacheDtype.startsWith('fp8');
  const each = sessionGib(vllm.maxModelLen) / (isByte ? 2 : 1);
  return {
    totalGib,
    takenGib,
    weightsGib: VOXTRAL.weightsGib,
    workingGib,
    cacheGib,
    sessionGib: each,
    sessionsFit: Math.floor(cacheGib / each),
  };
}

/** What `--explain` prints: the arithmetic behind the settings, a line each. Throws `DeployError` `invalid_setting`. */
export function explain(settings: ResolvedSettings): readonly string[] {
  checkSettings(settings);
  const isVllm = settings.engine === 'vllm';
  const variables = containerEnvironment(settings, isVllm);
  return [
    ...(isVllm ? explainVllm(settings) : explainMoonshine(settings)),
    'Variables of the container. --max-model-len is SM_VLLM_MAX_MODEL_LEN, and so on:',
    ...Object.entries(variables).map(([name, value]) => `  ${name}=${value}`),
  ];
}

function explainVllm(settings: ResolvedSettings): readonly string[] {
  const { vllm, instanceType } = settings;
  const budget = memoryBudget(settings);
  const { gpus } = instanceOf(instanceType);
  return [
    `Length. One token is ${TOKEN_MS} ms of audio, so --max-model-len ${vllm.maxModelLen} is ${figure(minutesOf(vllm.maxModelLen))} minutes of one session.`,
    `  For N minutes: N × ${MINUTE_MS / TOKEN_MS} tokens; 30 minutes, the longest that SageMaker lets a stream live, are ${tokensOf(30)}.`,
    `Memory. ${instanceType}: ${gpus} GPU${gpus === 1 ? '' : 's'}, ${figure(budget.totalGib)} GiB for the model at --tensor-parallel-size ${vllm.tensorParallelSize}; vLLM takes ${vllm.gpuMemoryUtilization} of it: ${figure(budget.takenGib)} GiB.`,
    `  Weights ${figure(budget.weightsGib)} GiB, activations and graphs about ${figure(budget.workingGib)} GiB (assumed): ${figure(budget.cacheGib)} GiB are left for KV cache.`,
    `  A session takes ${figure(VOXTRAL.decoderTokenBytes / 1024)} KiB a token in the decoder, which looks back ${VOXTRAL.decoderWindowTokens} tokens (${figure(minutesOf(VOXTRAL.decoderWindowTokens))} minutes), and up to ${figure(((VOXTRAL.encoderFrameBytes * VOXTRAL.encoderWindowFrames) / GIB) * 1024)} MiB in the encoder: at most ${figure(budget.sessionGib)} GiB.`,
    `Sessions. ${budget.sessionsFit} at full length fit into that; --max-num-seqs ${vllm.maxNumSeqs} are let in at once${vllm.maxNumSeqs > budget.sessionsFit ? ', MORE than fit: vLLM will preempt long ones' : ''}.`,
    `  Whether the GPU also keeps up with so many is for a measurement to say: vLLM's log has its own figure ("Maximum concurrency").`,
    `Scaling. Another instance is added where one has more than ${settings.sessionsTarget} sessions at once, from ${settings.instancesMin} up to ${settings.instancesMax} instances: ${settings.instancesMax * vllm.maxNumSeqs} sessions in all.`,
  ];
}

function explainMoonshine(settings: ResolvedSettings): readonly string[] {
  const { vcpus } = instanceOf(settings.instanceType);
  return [
    `Sessions. ${settings.instanceType} has ${vcpus} virtual cores; ${settings.sessionsMax} speakers at once are let in, one more gets 503. Measured elsewhere: 6 live speakers on two cores with 1.5 s of lag at the 95th percentile.`,
    'Length. A session keeps seconds of audio, not its whole length: memory does not limit it, SageMaker ends a stream after 30 minutes.',
    `Scaling. Another instance is added where one has more than ${settings.sessionsTarget} sessions at once, from ${settings.instancesMin} up to ${settings.instancesMax} instances: ${settings.instancesMax * settings.sessionsMax} speakers in all.`,
  ];
}

function figure(value: number): string {
  return String(Math.round(value * 100) / 100);
}
