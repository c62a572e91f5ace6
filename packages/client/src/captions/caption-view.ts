import type { Caption, CaptionEvent, LiveCaption } from './caption-event.js';

/** What was said and what is being said, as far as the server keeps it. */
export interface CaptionView {
  /** With another one than before, everything begins anew. Empty before the first event. */
  readonly session: string;
  readonly language: string | undefined;
  /** In order. */
  readonly utterances: readonly Caption[];
  readonly live: LiveCaption;
}

/** Nothing was said yet. */
export const EMPTY_VIEW: CaptionView = {
  session: '',
  language: undefined,
  utterances: [],
  live: { stable: '', unstable: '' },
};

/** Utterances that a reader keeps; more than the server does. Then: the oldest are forgotten. */
const UTTERANCES_MAX = 2_000;

/** The view after an event. */
export function applyCaptionEvent(view: CaptionView, event: CaptionEvent): CaptionView {
  switch (event.type) {
    case 'snapshot': {
      const { session, language, utterances, live } = event;
      return { session, language, utterances, live };
    }
    case 'update':
      return {
        ...view,
        utterances: withCaptions(view.utterances, event.utterances),
        live: event.live ?? view.live,
      };
    case 'closed':
      return { ...view, live: EMPTY_VIEW.live };
  }
}

/** New ones go behind, known ones are replaced: their numbers tell. */
function withCaptions(known: readonly Caption[], changed: readonly Caption[]): readonly Caption[] {
  if (changed.length === 0) return known;
  const first = known[0]?.number ?? changed[0]?.number ?? 0;
  const captions = [...known];
  for (const caption of changed) if (caption.number >= first) captions[caption.number - first] = caption;
  return captions.slice(-UTTERANCES_MAX);
}
