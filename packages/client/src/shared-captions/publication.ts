import type { Caption, LiveCaption, SpeakerState } from '@kikitori/protocol/shared-captions';
import { CLIENT_LIMITS } from '../limits.js';

/** An utterance as a speaker's program has it; its number is its place in the list. */
export interface SpokenUtterance {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** All that was said in a session so far, and what is being said. */
export interface SpokenState {
  /** Only ever grows at its end. */
  readonly utterances: readonly SpokenUtterance[];
  /** Words behind the last utterance that stay. */
  readonly stable: string;
  /** Words behind them that may still change. */
  readonly unstable: string;
  /** Readers are told. Default: live from the first word on. */
  readonly speaker?: SpeakerState;
}

/** What goes to the server in one request. */
export interface Publication {
  readonly utterances: readonly Caption[];
  /** Undefined while utterances are still to be sent that stand before it. */
  readonly live: LiveCaption | undefined;
  readonly speaker: SpeakerState | undefined;
}

/** What the server would refuse: control characters, line separators, turned text, halves of characters. */
const NO_TEXT = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]+/gu;

/** What to send next to a server that wants the utterance `nextNumber`, or, with null, has none. */
export function nextPublication(state: SpokenState, nextNumber: number | null): Publication {
  const { utterances, speaker } = state;
  const from = nextNumber ?? firstToSend(utterances);
  const captions: Caption[] = [];
  let chars = 0;
  for (let number = from; number < utterances.length; number += 1) {
    const utterance = utterances[number];
    if (utterance === undefined) break;
    const caption = captionOf(utterance, number);
    chars += caption.text.length;
    const isFull = captions.length > 0 && chars > CLIENT_LIMITS.captionsUpdateCharsMax;
    if (isFull || captions.length === CLIENT_LIMITS.captionsUpdateUtterancesMax) {
      return { utterances: captions, live: undefined, speaker };
    }
    captions.push(caption);
  }
  const live = { stable: endOf(state.stable), unstable: endOf(state.unstable) };
  return { utterances: captions, live, speaker };
}

/** A server that has nothing keeps no more than its bounds: what is older is not sent at all. */
function firstToSend(utterances: readonly SpokenUtterance[]): number {
  let first = utterances.length;
  let chars = 0;
  while (first > 0 && utterances.length - first < CLIENT_LIMITS.captionsKeptUtterances) {
    chars += utterances[first - 1]?.text.length ?? 0;
    if (chars > CLIENT_LIMITS.captionsKeptChars) break;
    first -= 1;
  }
  return first;
}

function captionOf({ text, startMs, endMs }: SpokenUtterance, number: number): Caption {
  const start = Math.max(0, Math.round(startMs));
  return { number, text: endOf(text), startMs: start, endMs: Math.max(start, Math.round(endMs)) };
}

/** Clean text; of one that is too long its end, from a word on: that is what is being said. */
function endOf(text: string): string {
  const clean = text.replace(NO_TEXT, ' ').replace(/\s+/g, ' ').trim();
  if (clean.length <= CLIENT_LIMITS.captionsTextCharsMax) return clean;
  const end = clean.slice(-CLIENT_LIMITS.captionsTextCharsMax).replace(/^[\udc00-\udfff]/, '');
  const wordAt = end.indexOf(' ');
  return wordAt === -1 ? end : end.slice(wordAt + 1);
}
