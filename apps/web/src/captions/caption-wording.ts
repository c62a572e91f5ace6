import type { CaptionStanding } from './caption-standing.js';

/** Everything that the page says by itself. */
export interface Wording {
  readonly title: string;
  readonly status: Readonly<Record<CaptionStanding, string>>;
  /** Before the first word. */
  readonly empty: string;
  readonly incomplete: string;
  readonly smaller: string;
  readonly larger: string;
  readonly theme: string;
  readonly now: string;
}

export const WORDINGS: Readonly<Record<'en' | 'ja', Wording>> = {
  en: {
    title: 'Live captions',
    status: {
      connecting: 'Connecting…',
      waiting: 'Waiting for the speaker',
      live: 'Live',
      paused: 'Paused by the speaker',
      ended: 'Ended',
      away: 'Connection lost. Trying again…',
      incomplete: 'Link not complete',
      sample: 'Sample words',
    },
    empty: 'What is said appears here.',
    incomplete: 'This link is not complete. Ask for the whole link, up to its last letter.',
    smaller: 'Smaller letters',
    larger: 'Larger letters',
    theme: 'Other colours',
    now: 'Back to now',
  },
  ja: {
    title: 'ライブ字幕',
    status: {
      connecting: '接続中…',
      waiting: '話者を待っています',
      live: 'ライブ',
      paused: '一時停止中',
      ended: '終了しました',
      away: '接続が切れました。再接続中…',
      incomplete: 'リンクが不完全です',
      sample: '見本の字幕',
    },
    empty: '話された言葉がここに表示されます。',
    incomplete: 'このリンクは不完全です。最後の文字までコピーされたリンクを受け取ってください。',
    smaller: '文字を小さく',
    larger: '文字を大きく',
    theme: '配色を変える',
    now: '最新に戻る',
  },
};

/** Scripts that put no spaces between words. */
const NO_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}、。「」]/u;

/** What stands between two stretches of words: a space, where the script has spaces and none is there. */
export function gapBetween(before: string, after: string): '' | ' ' {
  if (before === '' || after === '' || /\s$/.test(before) || /^\s/.test(after)) return '';
  const last = Array.from(before.slice(-2)).at(-1) ?? '';
  const first = Array.from(after.slice(0, 2))[0] ?? '';
  return NO_SPACES.test(last) || NO_SPACES.test(first) ? '' : ' ';
}
