import { isRecord, parseJson } from '@kikitori/core';
import { DeployError } from './errors.js';

/** The object that text says, or undefined where it says something else: settings of vLLM, as people write them. Values are unknown to us. */
export function jsonObjectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parseJson(text);
  return isRecord(value) ? value : undefined;
}

/**
 * `--vllm`: a JSON object of vLLM's flags and their values, as the text that each variable gets. Objects and lists stay JSON. Throws
 * `DeployError` `invalid_setting`.
 */
export function decodeOthers(text: string): Readonly<Record<string, string>> {
  const values = jsonObjectOf(text);
  if (values === undefined) {
    throw new DeployError('invalid_setting', {
      sentence:
        'Other settings of vLLM are a JSON object, such as {"max-num-batched-tokens": 8192, "enforce-eager": true}.',
    });
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
