/**
 * What people write for a language (`en`, `en_US`, `EN`, `eng`, `english`, `auto`), and what is said when a model does
 * not hear it. Runs anywhere; the names are the platform's own.
 */

/** Lets the model find out. */
export const AUTO_LANGUAGE = 'auto';

/** Longer than any tag or name in use: what is longer is not looked at. */
const TEXT_MAX = 64;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';

let tagsByName: ReadonlyMap<string, string> | undefined;

/**
 * The language that a text means: its primary BCP 47 tag (`pt_BR` and `Portuguese` are `pt`), or `auto`, which an
 * empty text means as well. Undefined when it is no language. What a locale of the system adds (`en_US.UTF-8`) is
 * left out; three letters become two where there are two.
 */
export function parseLanguage(text: string): string | undefined {
  const wanted = text.trim().toLowerCase();
  if (wanted === '' || wanted === AUTO_LANGUAGE) return AUTO_LANGUAGE;
  if (wanted.length > TEXT_MAX) return undefined;
  const tag = wanted.replace(/[.@].*/, '').replaceAll('_', '-');
  return /^[a-z]{2,3}(?:-|$)/.test(tag) ? primaryTag(tag) : englishNames().get(wanted);
}

/** Every primary tag of two letters that is a language: where a list is wanted of a model whose languages are not known. */
export function everyLanguage(): readonly string[] {
  return [...new Set(englishNames().values())];
}

/** `English (en)`: for sentences and lists. */
export function languageName(tag: string): string {
  return `${englishName(tag)} (${tag})`;
}

/** `English (en), Japanese (ja)`. */
export function languageList(tags: readonly string[]): string {
  return tags.map(languageName).join(', ');
}

/** `English or Japanese`. */
export function languageNames(tags: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(tags.map(englishName));
}

/**
 * Why a model that hears these languages cannot be asked for this one, in a sentence that lists them and repeats
 * nothing of what was sent; undefined when it can. Of a model whose languages are not known (none) any may be asked for.
 */
export function languageProblem(wanted: string, heard: readonly string[]): string | undefined {
  const language = parseLanguage(wanted);
  const list = heard.length === 0 ? '' : ` This model hears ${languageList(heard)}.`;
  if (language === undefined) {
    return `The language must be a tag such as en or pt-BR, an English name, or auto.${list}`;
  }
  const isHeard = heard.some((tag) => parseLanguage(tag) === language);
  if (language === AUTO_LANGUAGE || heard.length === 0 || isHeard) return undefined;
  return `The language ${languageName(language)} is not heard here.${list}`;
}

function primaryTag(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0]?.split('-')[0];
  } catch {
    return undefined;
  }
}

function englishName(tag: string): string {
  return new Intl.DisplayNames('en', { type: 'language' }).of(tag) ?? tag;
}

/** Every two-letter tag by its English name in lower case. Made when it is first needed: 676 questions. */
function englishNames(): ReadonlyMap<string, string> {
  if (tagsByName !== undefined) return tagsByName;
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
  const found = new Map<string, string>();
  for (const first of ALPHABET) {
    for (const second of ALPHABET) {
      const tag = primaryTag(`${first}${second}`) ?? '';
      const name = names.of(tag);
      if (name !== undefined) found.set(name.toLowerCase(), tag);
    }
  }
  tagsByName = found;
  return found;
}
