/** A stretch of speech that is final. */
export interface Caption {
  /** Counted by the speaker, one by one. */
  readonly number: number;
  readonly text: string;
  /** Its place in the speaker's session. */
  readonly startMs: number;
  readonly endMs: number;
}

/** What is being said. */
export interface LiveCaption {
  /** Words that stay. */
  readonly stable: string;
  /** Words behind them that may still change. */
  readonly unstable: string;
}

/** What a reader of shared captions is told. */
export type CaptionEvent =
  | {
      readonly type: 'snapshot';
      readonly session: string;
      readonly language: string | undefined;
      readonly utterances: readonly Caption[];
      readonly live: LiveCaption;
    }
  | {
      readonly type: 'update';
      readonly utterances: readonly Caption[];
      readonly live: LiveCaption | undefined;
    }
  | { readonly type: 'closed' };

type Members = Readonly<Record<string, unknown>>;

/** Reads one event; undefined for what is none, or is of a kind that this version does not know. */
export function readCaptionEvent(name: string, data: string): CaptionEvent | undefined {
  if (name !== 'snapshot' && name !== 'update' && name !== 'closed') return undefined;
  const members = readMembers(data);
  if (name === 'closed' || members === undefined) return name === 'closed' ? { type: 'closed' } : undefined;
  const utterances = captionsOf(members['utterances']);
  const live = liveOf(members['live']);
  if (utterances === undefined) return undefined;
  if (name === 'update') return { type: 'update', utterances, live };
  const { session, language } = members;
  if (typeof session !== 'string' || live === undefined) return undefined;
  return {
    type: 'snapshot',
    session,
    language: typeof language === 'string' ? language : undefined,
    utterances,
    live,
  };
}

/** Decodes a JSON object of the server; undefined where it is none. */
export function readMembers(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function captionsOf(value: unknown): readonly Caption[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const captions = value.map(captionOf);
  return captions.every((caption) => caption !== undefined) ? captions : undefined;
}

function captionOf(value: unknown): Caption | undefined {
  if (!isMembers(value)) return undefined;
  const { number, text, start_ms: startMs, end_ms: endMs } = value;
  if (typeof number !== 'number' || typeof text !== 'string') return undefined;
  if (typeof startMs !== 'number' || typeof endMs !== 'number') return undefined;
  return { number, text, startMs, endMs };
}

function liveOf(value: unknown): LiveCaption | undefined {
  if (!isMembers(value)) return undefined;
  const { stable, unstable } = value;
  return typeof stable === 'string' && typeof unstable === 'string' ? { stable, unstable } : undefined;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
