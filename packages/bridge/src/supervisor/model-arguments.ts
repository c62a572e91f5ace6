import { readdirSync } from 'node:fs';

/** Names and values of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'SM_VLLM_';
const MODEL_DIRECTORY = '/opt/ml/model';

/** Made by other rules: the model has fallbacks, and on another port the bridge would not find the server. */
const OWN_RULES: ReadonlySet<string> = new Set([`${PREFIX}MODEL`, `${PREFIX}PORT`]);

/** Flags whose value is JSON as such, arrays too. */
const JSON_FLAGS: ReadonlySet<string> = new Set([
  '--allowed-origins',
  '--allowed-methods',
  '--allowed-headers',
  '--middleware',
]);

/** What a variable says to vLLM. */
export interface FlagVariable {
  /** `--foo-bar` */
  readonly flag: string;
  /** What stands on the command line for it: nothing, the flag, or the flag and values. */
  readonly tokens: readonly string[];
}

/**
 * What the environment says to vLLM, by the rules of the entry point of AWS's vLLM containers: every
 * `SM_VLLM_FOO_BAR=value`, sorted by name, as `--foo-bar value`. The model is `modelOf`; unlike there, `SM_VLLM_PORT` is
 * left out: the port is the upstream's.
 */
export function variablesOf(env: Environment): ReadonlyMap<string, FlagVariable> {
  const names = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !OWN_RULES.has(name));
  return new Map(
    names.sort().map((name) => {
      const flag = `--${name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-')}`;
      return [name, { flag, tokens: tokensOf(flag, env[name] ?? '') }];
    }),
  );
}

/**
 * The model: `SM_VLLM_MODEL`, else `/opt/ml/model` where it holds anything, else `HF_MODEL_ID`, else left to vLLM, as there.
 * `variable` says it, unless it is the folder.
 */
export function modelOf(
  env: Environment,
  directory = MODEL_DIRECTORY,
): { readonly value: string; readonly variable: string | undefined } | undefined {
  const variable = `${PREFIX}MODEL`;
  const named = env[variable];
  if (named !== undefined && named !== '') return { value: named, variable };
  if (isFilled(directory)) return { value: directory, variable: undefined };
  const id = env['HF_MODEL_ID'];
  return id === undefined || id === '' ? undefined : { value: id, variable: 'HF_MODEL_ID' };
}

function isFilled(directory: string): boolean {
  try {
    return readdirSync(directory).length > 0;
  } catch {
    return false;
  }
}

/**
 * | value                              | tokens                                    |
 * | ---------------------------------- | ----------------------------------------- |
 * | `true`, empty                      | the flag                                  |
 * | `false`, `[]`                      | none                                      |
 * | `["a", "b"]`                       | the flag and one for each element         |
 * | the same for `JSON_FLAGS`          | the flag and the value as it is           |
 * | `{"a":1} {"b":2}`                  | the flag and one for each object          |
 * | anything else, one object included | the flag and the value as it is           |
 */
function tokensOf(flag: string, value: string): string[] {
  const word = value.trim().toLowerCase();
  if (word === 'true' || word === '') return [flag];
  if (word === 'false') return [];
  const elements = JSON_FLAGS.has(flag) ? undefined : arrayOf(value);
  if (elements !== undefined) return elements.length === 0 ? [] : [flag, ...elements];
  return [flag, ...(objectsOf(value) ?? [value])];
}

function arrayOf(text: string): string[] | undefined {
  const value = text.trimStart().startsWith('[') ? parsed(text) : undefined;
  if (!Array.isArray(value)) return undefined;
  return value.map((element) => (typeof element === 'string' ? element : JSON.stringify(element)));
}

/** Two or more JSON objects with nothing but space between them. */
function objectsOf(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('{') || parsed(text) !== undefined) return undefined;
  const objects: string[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const end = endOfObject(rest);
    const object = end === undefined ? undefined : rest.slice(0, end);
    if (end === undefined || object === undefined || parsed(object) === undefined) return undefined;
    objects.push(object);
    rest = rest.slice(end).trimStart();
  }
  return objects;
}

/** Where the object that the text begins with ends: braces are counted, but for those in strings. */
function endOfObject(text: string): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"?|[{}]/g)) {
    if (token === '{') depth += 1;
    if (token === '}') depth -= 1;
    if (token === '}' && depth === 0) return index + 1;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
