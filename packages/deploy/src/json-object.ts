import { DeployError } from './errors.js';

/** The one decoder of JSON that people write: settings of vLLM. What AWS answers is decoded by its own clients. */

/** Whether text is a JSON object. */
export function isJsonObject(text: string): boolean {
  return jsonObjectOf(text) !== undefined;
}

/** The object that text says, or undefined where it says something else. Values are unknown to us. */
export function jsonObjectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // An object that JSON says has text for keys.
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
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
