/** What is said, as it is told to readers. Names on the wire are those of docs/captions.md. */

/** A stretch of speech that is final. */
export interface CaptionUtterance {
  /** Counted by the speaker, one by one. */
  readonly number: number;
  readonly text: string;
  /** Its place in the speaker's session. */
  readonly startMs: number;
  readonly endMs: number;
}

/** What is being said: replaced as a whole. */
export interface LiveCaption {
  /** Words that stay. */
  readonly stable: string;
  /** Words behind them that may still change. */
  readonly unstable: string;
}

/** Nothing is being said. */
export const SILENCE: LiveCaption = { stable: '', unstable: '' };

/** All that a reader who comes now has to know. */
export interface CaptionSnapshot {
  /** The speaker's session; with another one the transcript begins anew. */
  readonly session: string;
  /** BCP 47; undefined where the speaker does not say. */
  readonly language: string | undefined;
  readonly utterances: readonly CaptionUtterance[];
  readonly live: LiveCaption;
}

/** What changed, all of it at once: a final utterance and the end of its live words are never apart. */
export interface CaptionChange {
  /** New, or changed: their numbers tell. */
  readonly utterances: readonly CaptionUtterance[];
  /** Undefined: as before. */
  readonly live: LiveCaption | undefined;
}

/** A line that is no event; whoever hears nothing for long knows that the line is dead. */
export const HEARTBEAT = ':\n\n';
/** Nobody shares under this link any more. */
export const CLOSED = frame('closed', {});

/** A snapshot as a server-sent event. */
export function encodeSnapshot({ session, language, utterances, live }: CaptionSnapshot): string {
  return frame('snapshot', {
    session,
    language: language ?? null,
    utterances: utterances.map(wireUtterance),
    live,
  });
}

/** A change as a server-sent event. */
export function encodeChange({ utterances, live }: CaptionChange): string {
  return frame('update', {
    utterances: utterances.map(wireUtterance),
    ...(live === undefined ? {} : { live }),
  });
}

function wireUtterance({ number, text, startMs, endMs }: CaptionUtterance): unknown {
  return { number, text, start_ms: startMs, end_ms: endMs };
}

/** JSON has no line break outside of strings and none inside, so one `data` line is enough. */
function frame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
