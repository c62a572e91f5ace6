import { type CaptionView, EMPTY_VIEW } from '@kikitori/client/shared-captions';

const SAMPLES: Readonly<Record<'en' | 'ja', readonly string[]>> = {
  en: [
    'Good morning, and welcome aboard.',
    'The ferry leaves at a quarter past nine, and the crossing takes about forty minutes if the wind is kind to us.',
    'Please keep to the left on the stairs.',
  ],
  ja: [
    'おはようございます。',
    'フェリーは九時十五分に出発し、約四十分で島に着きます。',
    '階段は左側をお歩きください。',
  ],
};
const WORD_MS = 280;
const PAUSE_WORDS = 8;

/** Speaks by itself, for ever: for whoever sets up a scene. */
export function sampleCaptions(onChange: (view: CaptionView) => void, language: 'en' | 'ja'): void {
  const sentences = SAMPLES[language];
  let view: CaptionView = { ...EMPTY_VIEW, session: 'sample', language };
  let at = 0;
  let spoken = 0;
  setInterval(() => {
    const text = sentences[at % sentences.length] ?? '';
    const words = language === 'ja' ? Array.from(text) : (text.match(/\S+\s*/g) ?? []);
    spoken += 1;
    if (spoken <= words.length) {
      const stable = words.slice(0, Math.max(0, spoken - 2)).join('');
      const unstable = words.slice(Math.max(0, spoken - 2), spoken).join('');
      view = { ...view, live: { stable, unstable } };
    } else if (spoken === words.length + 1) {
      const utterance = { number: at, text, startMs: 0, endMs: 0 };
      view = { ...view, utterances: [...view.utterances, utterance].slice(-20), live: EMPTY_VIEW.live };
      at += 1;
    } else {
      if (spoken > words.length + PAUSE_WORDS) spoken = 0;
      return;
    }
    onChange(view);
  }, WORD_MS);
}
