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
