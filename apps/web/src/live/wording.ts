import { recall, remember } from '../shared/storage.js';
import { isMessageKey, type Language, type MessageKey, type MessageValues, message } from './messages.js';

const STORED_AT = 'kikitori.language';

/** The language of the page. Marked elements (`data-text`, `data-label`) follow it by themselves. */
export class Wording {
  #language: Language;
  readonly #onChange = new Set<() => void>();

  constructor(language: Language) {
    this.#language = language;
  }

  get language(): Language {
    return this.#language;
  }

  say(key: MessageKey, values?: MessageValues): string {
    return message(this.#language, key, values);
  }

  /** `25 Nov, 14:03`, as the language writes it. */
  time(atMs: number): string {
    const style = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const;
    // English is written otherwise in London than in New York.
    const own = navigator.languages.find((tag) => tag.startsWith(this.#language));
    return new Intl.DateTimeFormat(own ?? this.#language, style).format(atMs);
  }

  /** `English`, `英語`: the languages of these BCP 47 tags, any of them, as the page's own language names them. */
  languages(tags: readonly string[]): string {
    const names = new Intl.DisplayNames(this.#language, { type: 'language' });
    const list = new Intl.ListFormat(this.#language, { type: 'disjunction' });
    return list.format(tags.map((tag) => names.of(tag) ?? tag));
  }

  /** Calls whenever the language has changed. */
  watch(call: () => void): void {
    this.#onChange.add(call);
  }

  change(language: Language): void {
    this.#language = language;
    remember(STORED_AT, language);
    this.dress();
    for (const call of this.#onChange) call();
  }

  /** Writes every marked element anew. */
  dress(): void {
    document.documentElement.lang = this.#language;
    for (const element of document.querySelectorAll<HTMLElement | SVGElement>('[data-text], [data-label]')) {
      const { text, label } = element.dataset;
      if (isMessageKey(text)) element.textContent = this.say(text);
      if (isMessageKey(label)) element.setAttribute('aria-label', this.say(label));
    }
  }
}

/** What the visitor chose the last time. */
export function rememberedLanguage(): Language | undefined {
  const stored = recall(STORED_AT);
  return stored === 'en' || stored === 'ja' ? stored : undefined;
}
