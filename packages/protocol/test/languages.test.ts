import { describe, expect, it } from 'vitest';
import { languageList, languageNames, languageProblem, parseLanguage } from '../src/languages.js';

describe('a language as people write it', () => {
  it.each([
    ['en', 'en'],
    ['EN', 'en'],
    ['en-US', 'en'],
    ['en_US', 'en'],
    ['en_US.UTF-8', 'en'],
    ['eng', 'en'],
    ['english', 'en'],
    [' English ', 'en'],
    ['pt_BR', 'pt'],
    ['zh-Hant-TW', 'zh'],
    ['Japanese', 'ja'],
    ['jpn', 'ja'],
    ['auto', 'auto'],
    ['AUTO', 'auto'],
    ['', 'auto'],
  ])('%j is %s', (text, language) => {
    expect(parseLanguage(text)).toBe(language);
  });

  it.each(['klingonish', 'e', 'en-', 'en US', '12', '日本', 'en\u0000', 'x'.repeat(65)])(
    '%j is none',
    (text) => {
      expect(parseLanguage(text)).toBeUndefined();
    },
  );

  it('is refused with the list of what is heard, and with nothing of what was sent', () => {
    expect(languageProblem('ja', ['en'])).toBe(
      'The language Japanese (ja) is not heard here. This model hears English (en).',
    );
    expect(languageProblem('klingonish', ['en', 'es'])).toBe(
      'The language must be a tag such as en or pt-BR, an English name, or auto. This model hears English (en), Spanish (es).',
    );
  });

  it('is taken when the model hears it, finds it out, or nobody knows what it hears', () => {
    for (const text of ['en_GB', 'english', 'auto', ''])
      expect(languageProblem(text, ['en'])).toBeUndefined();
    expect(languageProblem('pt', ['pt-BR'])).toBeUndefined();
    expect(languageProblem('ja', [])).toBeUndefined();
    expect(languageProblem('klingonish', [])).toMatch(/must be a tag/);
  });

  it('is listed by name and tag', () => {
    expect(languageList(['en', 'ja'])).toBe('English (en), Japanese (ja)');
    expect(languageNames(['en'])).toBe('English');
    expect(languageNames(['en', 'ja'])).toBe('English or Japanese');
  });
});
