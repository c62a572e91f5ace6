/** What the stand-in of vLLM answers on `/metrics`: of the real one's some hundred, those that somebody in front of it may read. */
import type { VllmStandIn } from './stand-in.js';

/** Of the CPU's build with 1 GB for keys and values. */
const BLOCK_SIZE = 128;
const BLOCKS = 2_048;
/** The decoder looks back so far. */
const WINDOW = 8_192;
/** The encoder has layers of its own, whose blocks hold four times as much. */
const ENCODER_BLOCK_SIZE = 4 * BLOCK_SIZE;

export function metricsOf(standIn: VllmStandIn): string {
  const { maxModelLen, models } = standIn.traits;
  const [model = ''] = models;
  const of = { engine: '0', model_name: model };
  const { running, waiting, sessions } = standIn;
  const concurrency = BLOCKS / blocksOf(maxModelLen);
  const cache = {
    block_size: BLOCK_SIZE,
    cache_dtype: 'auto',
    enable_prefix_caching: 'True',
    engine: '0',
    gpu_memory_utilization: '0.92',
    kv_cache_max_concurrency: shownFloat(concurrency),
    kv_cache_memory_bytes: 1024 ** 3,
    kv_cache_size_tokens: Math.floor(concurrency * maxModelLen),
    num_cpu_blocks: 'None',
    num_gpu_blocks: BLOCKS,
    num_gpu_blocks_override: 'None',
    sliding_window: '8192',
  };
  return [
    ...gauge('vllm:num_requests_running', 'Number of requests in model execution batches.', [[of, running]]),
    ...gauge('vllm:num_requests_waiting', 'Number of requests waiting to be processed.', [[of, waiting]]),
    ...gauge('vllm:num_requests_waiting_by_reason', 'Number of waiting requests by reason.', [
      [{ ...of, reason: 'capacity' }, 0],
      [{ ...of, reason: 'deferred' }, waiting],
    ]),
    ...gauge('vllm:cache_config_info', 'Information of the LLMEngine CacheConfig', [[cache, 1]]),
    ...gauge('vllm:websocket_connections_active', 'Number of currently active WebSocket connections.', [
      [{}, sessions],
    ]),
    '',
  ].join('\n');
}

/** What an utterance of full length holds: of 128, 1,024 and 2,048 tokens it was met. */
function blocksOf(tokens: number): number {
  const held = Math.min(tokens, WINDOW);
  return Math.ceil(held / BLOCK_SIZE) + 1 + Math.ceil(held / ENCODER_BLOCK_SIZE) + 1;
}

type Labels = Readonly<Record<string, string | number>>;

function gauge(name: string, help: string, values: readonly (readonly [Labels, number])[]): string[] {
  const lines = values.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${shownFloat(value)}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines];
}

/** As Python writes one. */
function shownFloat(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
