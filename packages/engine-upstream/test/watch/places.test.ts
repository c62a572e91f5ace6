import { describe, expect, it } from 'vitest';
import { placesIn } from '../../src/watch/places.js';

const TWO_MINUTES = { maxModelLen: undefined, utteranceMsMax: 120_000 };
const cache = (labels: string): string =>
  `# TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{${labels}} 1.0\nvllm:other 3\n`;

describe('the places that metrics promise', () => {
  it('are what the KV cache holds of the longest utterance, as the server counts it', () => {
    const metrics = cache('block_size="128",engine="0",kv_cache_size_tokens="65536",num_gpu_blocks="2048"');
    expect(placesIn(metrics, TWO_MINUTES)).toEqual({
      places: 40,
      because: '65,536 tokens of KV cache, 1,604 for the longest utterance',
    });
  });

  it('are counted in blocks where the server does not count tokens, over all of its engines', () => {
    const metrics =
      cache('engine="0",block_size="16",num_gpu_blocks="1000"') +
      cache('engine="1",block_size="16",num_gpu_blocks="1000"');
    expect(placesIn(metrics, TWO_MINUTES)?.places).toBe(19);
  });

  it('are more where the model bears less', () => {
    const metrics = cache('block_size="16",num_gpu_blocks="1000"');
    expect(placesIn(metrics, { ...TWO_MINUTES, maxModelLen: 128 })?.places).toBe(125);
    expect(placesIn(metrics, { ...TWO_MINUTES, maxModelLen: 45_000 })?.places).toBe(9);
  });

  it('are those of a server of ours', () => {
    const metrics = '# HELP kikitori_sessions_max Places.\nkikitori_sessions_max 12\nkikitori_sessions_max_x 3\n';
    expect(placesIn(metrics, TWO_MINUTES)?.places).toBe(12);
  });

  it.each([
    '',
    'kikitori_sessions_max 0',
    'vllm:cache_config_info',
    'vllm:cache_config_info{} 1',
    cache('num_gpu_blocks="None",block_size="16"'),
    cache('num_gpu_blocks="10",block_size="16"'),
    cache('kv_cache_size_tokens="many"'),
  ])('are unknown where they say nothing: %j', (metrics) => {
    expect(placesIn(metrics, TWO_MINUTES)).toBeUndefined();
  });
});
