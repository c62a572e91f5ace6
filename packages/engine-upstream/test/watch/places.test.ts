import { describe, expect, it } from 'vitest';
import { placesIn } from '../../src/watch/places.js';

const TWO_MINUTES = { maxModelLen: undefined, utteranceMsMax: 120_000 };
const cache = (labels: string): string =>
  `# TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{${labels}} 1.0\nvllm:other 3\n`;
/** As vLLM 0.32 said it on a processor with 1 GB for keys and values. */
const REAL =
  'block_size="128",cache_dtype="auto",engine="0",kv_cache_max_concurrency="93.0909090909091",kv_cache_size_tokens="190650",num_gpu_blocks="2048",sliding_window="8192"';

describe('the places that metrics promise', () => {
  it('are what the KV cache holds of the longest utterance, as the server counts whole ones', () => {
    expect(placesIn(cache(REAL), { ...TWO_MINUTES, maxModelLen: 2_048 })).toEqual({
      places: 102,
      because: '190,650 tokens of KV cache, 1,860 for the longest utterance',
      isVllm: true,
    });
  });

  it('do not grow with a limit beyond the window, of which no more is kept', () => {
    const long = cache(REAL.replace('93.0909090909091', '24.9756'));
    expect(placesIn(long, { ...TWO_MINUTES, maxModelLen: 45_000 })?.places).toBe(110);
  });

  it('are counted in blocks where the server does not say more, over all of its engines', () => {
    const metrics =
      cache('engine="0",block_size="16",num_gpu_blocks="1000",sliding_window="None"') +
      cache('engine="1",block_size="16",num_gpu_blocks="1000"');
    expect(placesIn(metrics, TWO_MINUTES)?.places).toBe(19);
  });

  it('are as many as there may be whole ones where the model bears less', () => {
    const short = cache(REAL.replace('93.0909090909091', '500'));
    expect(placesIn(short, { ...TWO_MINUTES, maxModelLen: 128 })?.places).toBe(500);
    const metrics = cache('block_size="16",num_gpu_blocks="1000"');
    expect(placesIn(metrics, { ...TWO_MINUTES, maxModelLen: 128 })?.places).toBe(125);
    expect(placesIn(metrics, { ...TWO_MINUTES, maxModelLen: 45_000 })?.places).toBe(9);
  });

  it('are those of a server of ours', () => {
    const metrics =
      '# HELP kikitori_sessions_max Places.\nkikitori_sessions_max 12\nkikitori_sessions_max_x 3\n';
    expect(placesIn(metrics, TWO_MINUTES)).toMatchObject({ places: 12, isVllm: false });
  });

  it.each([
    '',
    'kikitori_sessions_max 0',
    'vllm:cache_config_info',
    'vllm:cache_config_info{} 1',
    cache('num_gpu_blocks="None",block_size="16"'),
    cache('num_gpu_blocks="10",block_size="16"'),
    cache('kv_cache_max_concurrency="many"'),
  ])('are unknown where they say nothing: %j', (metrics) => {
    expect(placesIn(metrics, TWO_MINUTES)).toBeUndefined();
  });
});
