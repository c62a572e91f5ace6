import { type Members, membersOf } from '../json-object.js';

/** How sure Flux is to be, and how long it waits. Taken and told; an engine of ours ends a turn at a pause. */
const RANGES = {
  eot_threshold: [0.5, 1],
  eager_eot_threshold: [0.3, 0.9],
  eot_timeout_ms: [500, 60_000],
} as const;

type Name = keyof typeof RANGES;

const NAMES: readonly Name[] = ['eot_threshold', 'eager_eot_threshold', 'eot_timeout_ms'];
const TERMS_MAX = 100;
const TERM_CHARS_MAX = 256;

/** What a client has configured so far. */
export interface FluxSettings {
  readonly thresholds: Readonly<Partial<Record<Name, number>>>;
  readonly keyterms: readonly string[];
  readonly language_hints: readonly string[];
}

/** What the query asks for; a string: why it cannot be served. */
export function settingsOf(query: string): FluxSettings | string {
  const asked = new URLSearchParams(query);
  const thresholds: Partial<Record<Name, number>> = {};
  for (const name of NAMES) {
    const text = asked.get(name);
    if (text === null || text === '') continue;
    const value = Number(text);
    if (!isInRange(name, value)) return rangeProblem(name);
    thresholds[name] = value;
  }
  return {
    thresholds,
    keyterms: terms(asked.getAll('keyterm')),
    language_hints: terms(asked.getAll('language_hint')),
  };
}

/** The settings after a `Configure`, in which what is absent stays; a string: why they are not. */
export function changedSettings(settings: FluxSettings, configure: Members): FluxSettings | string {
  const wished = membersOf(configure['thresholds']) ?? {};
  const thresholds: Partial<Record<Name, number>> = { ...settings.thresholds };
  for (const name of NAMES) {
    const value = wished[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || !isInRange(name, value)) return rangeProblem(name);
    thresholds[name] = value;
  }
  return {
    thresholds,
    keyterms: listOf(configure['keyterms']) ?? settings.keyterms,
    language_hints: listOf(configure['language_hints']) ?? settings.language_hints,
  };
}

function isInRange(name: Name, value: number): boolean {
  const [least, most] = RANGES[name];
  return value >= least && value <= most;
}

function rangeProblem(name: Name): string {
  const [least, most] = RANGES[name];
  return `${name} is a number from ${least} to ${most}.`;
}

function listOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return terms(value.filter((each) => typeof each === 'string'));
}

function terms(texts: readonly string[]): readonly string[] {
  return texts.slice(0, TERMS_MAX).map((text) => text.slice(0, TERM_CHARS_MAX));
}
