import type { ResolvedSettings } from './settings.js';

/**
 * The variables of the container, by the rules of AWS's vLLM containers: `SM_VLLM_FOO_BAR=value` is `--foo-bar value`, an object of JSON stays
 * whole. `hasModel`: there are weights in S3, mounted at /opt/ml/model. The template makes the same of its parameters.
 */
export function containerEnvironment(
  settings: ResolvedSettings,
  hasModel: boolean,
): Readonly<Record<string, string>> {
  if (settings.engine === 'moonshine') {
    return {
      KIKITORI_MAX_SESSIONS: String(settings.sessionsMax),
      ...(hasModel ? { KIKITORI_MODEL: '/opt/ml/model' } : {}),
    };
  }
  const { vllm, bridgeMetrics } = settings;
  return {
    SM_VLLM_MODEL: '/opt/ml/model',
    SM_VLLM_MAX_MODEL_LEN: String(vllm.maxModelLen),
    SM_VLLM_MAX_NUM_SEQS: String(vllm.maxNumSeqs),
    SM_VLLM_GPU_MEMORY_UTILIZATION: String(vllm.gpuMemoryUtilization),
    SM_VLLM_KV_CACHE_DTYPE: vllm.kvCacheDtype,
    SM_VLLM_DTYPE: vllm.dtype,
    SM_VLLM_TENSOR_PARALLEL_SIZE: String(vllm.tensorParallelSize),
    SM_VLLM_COMPILATION_CONFIG: vllm.compilationConfig,
    SM_VLLM_TOKENIZER_MODE: vllm.modelFormat,
    SM_VLLM_CONFIG_FORMAT: vllm.modelFormat,
    SM_VLLM_LOAD_FORMAT: vllm.modelFormat,
    KIKITORI_BRIDGE_EMF: bridgeMetrics ? '1' : '0',
    // The weights are there; nothing is to be asked of a hub.
    HF_HUB_OFFLINE: '1',
    ...otherVariables(vllm.others),
  };
}

/** `max-num-batched-tokens` → `SM_VLLM_MAX_NUM_BATCHED_TOKENS`. */
export function otherVariables(others: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(others).map(([name, value]) => [
      `SM_VLLM_${name.replaceAll('-', '_').toUpperCase()}`,
      value,
    ]),
  );
}
