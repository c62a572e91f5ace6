import {
  type Caption,
  type CaptionEvent,
  type LiveCaption,
  SILENCE,
  type SpeakerState,
} from '@kikitori/protocol/shared-captions';
import { VIEW_UTTERANCES_MAX } from './limits.js';

/** What was said and what is being said, as far as the server keeps it. */
export interface CaptionView {
  /** With another one than before, everything begins anew. Empty before the first event. */
  readonly session: string;
  readonly language: string | undefined;
  /** In order. */
  readonly utterances: readonly Caption[];
  readonly live: LiveCaption;
  /** How the speaker stands; undefined where the server does not say, and before the first event. */
  readonly speaker: SpeakerState | undefined;
}

/** Nothing was said yet. */
export const EMPTY_VIEW: CaptionView = {
  session: '',
  language: undefined,
  utterances: [],
  live: SILENCE,
  speaker: undefined,
};

/** The view after an event. */
export function applyCaptionEvent(view: CaptionView, event: CaptionEvent): CaptionView {
  switch (event.type) {
    case 'snapshot': {
      const { session, language, utterances, live, speaker } = event;
      return { session, language, utterances, live, speaker };
    }
    case 'update':
      return {
        ...view,
        utterances: withCaptions(view.utterances, event.utterances),
        live: event.live ?? view.live,
        speaker: event.speaker ?? view.speaker,
      };
    case 'closed':
      return { ...view, live: SILENCE, speaker: 'ended' };
  }
}

/** New ones go behind, known ones are replaced: their numbers tell. Behind a gap, which our server never leaves, all is new. */
function withCaptions(known: readonly Caption[], changed: readonly Caption[]): readonly Caption[] {
  let captions = [...known];
  for (const caption of changed) {
    const at = caption.number - (captions[0]?.number ?? caption.number);
    if (at > captions.length) captions = [caption];
    else if (at >= 0) captions[at] = caption;
  }
  return captions.slice(-VIEW_UTTERANCES_MAX);
}
