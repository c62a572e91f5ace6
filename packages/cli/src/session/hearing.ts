/** Which languages a model hears: told before its first word, and asked before anything is loaded. */
import { type ServedModel, servedModels } from '@kikitori/client';
import { AUTO_LANGUAGE, languageList, languageProblem } from '@kikitori/protocol/languages';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { MODELS_TOLD_MS } from '../limits.js';
import type { Display } from '../terminal/display.js';

/** Says `moonshine-base hears English (en).`; nothing where nobody knows. */
export function tellHearing(model: string, languages: readonly string[], display: Display): void {
  if (languages.length > 0) display.note(`${model} hears ${languageList(languages)}.`);
}

/** Throws `CliError` `usage`, with the list, where a model of the store does not hear the language. */
export async function assertHeard(
  language: string | undefined,
  model: string | undefined,
  { factories }: Context,
): Promise<void> {
  if (language === undefined || language === AUTO_LANGUAGE) return;
  const rows = await (await factories.openModelStore()).list();
  const name = model ?? (await import('@kikitori/engine-local')).DEFAULT_MODEL;
  // What the store does not know tells what it hears once it is loaded; then the session refuses.
  const heard = rows.find((row) => row.name === name)?.languages ?? [];
  const problem = languageProblem(language, heard);
  if (problem !== undefined) throw new CliError('usage', problem);
}

/** The model that a server serves, with what it says that it hears; undefined where it does not say so soon. */
export async function servedHearing(
  {
    url,
    model,
    apiKey,
  }: {
    readonly url: string;
    readonly model: string | undefined;
    readonly apiKey: string | undefined;
  },
  signal: AbortSignal,
): Promise<ServedModel | undefined> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(MODELS_TOLD_MS)]);
  try {
    const models = await servedModels(url, { signal: soon, ...(apiKey === undefined ? {} : { apiKey }) });
    return models.find(({ id }) => id === model) ?? models[0];
  } catch {
    // The session itself says what is wrong, better.
    return undefined;
  }
}
