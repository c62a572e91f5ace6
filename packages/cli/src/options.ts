/**
 * Flags as data: name, meaning, unit, bound and default of each in one place, read from the command line and from
 * `KIKITORI_*`; flags win. Everything that can be checked without I/O is checked here, before a command runs.
 */
import type { Environment } from './context.js';
import { CliError } from './errors.js';

/** One flag. `parse` gets the text of the flag or of its environment variable, or throws `CliError` `usage`. */
export interface OptionSpec<T> {
  /** As commander wants it: `--port <number>`, `-v, --verbose`, `--json`. */
  readonly flags: string;
  readonly description: string;
  /** Used when neither the flag nor the variable is there. */
  readonly fallback: T;
  /** What `--help` calls the default; nothing when undefined. */
  readonly fallbackText: string | undefined;
  readonly parse: (text: string, label: string) => T;
}

/** The flags of a command by the name under which it reads them. */
export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;

/** What a command gets for its flags. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never;
};

interface Described {
  readonly flags: string;
  readonly description: string;
}

/** A whole number within bounds, both included. `unit` is named in messages, e.g. ` seconds`. */
export function integer<F extends number | undefined>(
  spec: Described & { readonly min: number; readonly max: number; readonly fallback: F },
): OptionSpec<number | F> {
  return {
    ...spec,
    fallbackText: spec.fallback === undefined ? undefined : String(spec.fallback),
    parse: (text, label) => {
      const value = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN;
      if (value >= spec.min && value <= spec.max) return value;
      throw new CliError('usage', `${label} must be a whole number from ${spec.min} to ${spec.max}.`);
    },
  };
}

/** Any text that is not empty. `secret` keeps a default out of the help. */
export function text<F extends string | undefined>(
  spec: Described & { readonly fallback: F },
): OptionSpec<string | F> {
  return {
    ...spec,
    fallbackText: spec.fallback,
    parse: (value, label) => {
      if (value !== '') return value;
      throw new CliError('usage', `${label} must not be empty.`);
    },
  };
}

/** One word of a list. */
export function choice<C extends string>(
  spec: Described & { readonly choices: readonly C[]; readonly fallback: C },
): OptionSpec<C> {
  return {
    ...spec,
    description: `${spec.description}: ${spec.choices.join(', ')}`,
    fallbackText: spec.fallback,
    parse: (value, label) => {
      const found = spec.choices.find((one) => one === value);
      if (found !== undefined) return found;
      throw new CliError('usage', `${label} must be one of: ${spec.choices.join(', ')}.`);
    },
  };
}

const YES = new Set(['', '1', 'true', 'yes', 'on']);
const NO = new Set(['0', 'false', 'no', 'off']);

/** There or not there. In the environment: 1/true/yes/on or 0/false/no/off. */
export function flag(spec: Described): OptionSpec<boolean> {
  return {
    ...spec,
    fallback: false,
    fallbackText: undefined,
    parse: (value, label) => {
      const word = value.toLowerCase();
      if (YES.has(word)) return true;
      if (NO.has(word)) return false;
      throw new CliError('usage', `${label} must be 1 or 0.`);
    },
  };
}

/** What `parse` of the spec makes of text, for flags with a form of their own. */
export function parsed<T, F extends T | undefined>(
  spec: Described & {
    readonly fallback: F;
    readonly fallbackText?: string;
    readonly parse: (text: string, label: string) => T;
  },
): OptionSpec<T | F> {
  return { ...spec, fallbackText: spec.fallbackText };
}

/** `--max-sessions <n>` → `--max-sessions`. */
export function longName(spec: { readonly flags: string }): string {
  return /--[a-z-]+/.exec(spec.flags)?.[0] ?? spec.flags;
}

/** `--max-sessions <n>` → `KIKITORI_MAX_SESSIONS`. */
export function environmentName(spec: { readonly flags: string }): string {
  return `KIKITORI_${longName(spec).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/**
 * The values of a command's flags: the flag, else the variable, else the default. An empty variable counts as unset,
 * since that is what `FOO= command` and compose files mean by it.
 */
export function readOptions<S extends OptionSpecs>(
  specs: S,
  given: (spec: OptionSpec<unknown>) => string | boolean | undefined,
  env: Environment,
): OptionValues<S> {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const raw = given(spec);
    const variable = environmentName(spec);
    const fromEnv = env[variable];
    if (raw !== undefined) values[name] = spec.parse(raw === true ? '' : String(raw), longName(spec));
    else if (fromEnv !== undefined && fromEnv !== '') values[name] = spec.parse(fromEnv, variable);
    else values[name] = spec.fallback;
  }
  // The loop filled exactly the keys of `specs`, each by its own `parse` or `fallback`.
  return values as OptionValues<S>;
}
