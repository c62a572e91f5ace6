/** Shared captions on the wire: names and order are those of docs/captions.md. */
import { ProtocolError } from '../errors.js';
import { isMembers, type Members, parseJson } from '../parse-json.js';
import {
  type Caption,
  type CaptionEvent,
  type LiveCaption,
  SPEAKER_STATES,
  type SpeakerState,
} from './caption-event.js';

/** A line that is no event; whoever hears nothing for long knows that the line is dead. */
export const HEARTBEAT = ':\n\n';

/** A caption as both directions write it: from the speaker to the server, and from there to the readers. */
export interface CaptionMembers {
  readonly number: number;
  readonly text: string;
  readonly start_ms: number;
  readonly end_ms: number;
}

/** A caption in the wire's names and order. */
export function captionMembers({ number, text, startMs, endMs }: Caption): CaptionMembers {
  return { number, text, start_ms: startMs, end_ms: endMs };
}

/** One server-sent event (WHATWG HTML section 9.2). JSON has no line break, so that one `data` line is enough. */
export function encodeCaptionEvent(event: CaptionEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(dataOf(event))}\n\n`;
}

/**
 * Reads the name and the data of a server-sent event; undefined for what is none, or is of a kind that this version does
 * not know. Members that are not part of an event are ignored. Throws nothing.
 */
export function readCaptionEvent(name: string, data: string): CaptionEvent | undefined {
  if (name === 'closed') return { type: name };
  if (name !== 'snapshot' && name !== 'update') return undefined;
  const members = readMembers(data);
  const utterances = captionsOf(members?.['utterances']);
  if (members === undefined || utterances === undefined) return undefined;
  const live = liveOf(members['live']);
  const speaker = speakerOf(members['speaker']);
  if (name === 'update') return { type: name, utterances, live, speaker };
  const { session, language } = members;
  if (typeof session !== 'string' || live === undefined) return undefined;
  return {
    type: name,
    session,
    language: typeof language === 'string' ? language : undefined,
    utterances,
    live,
    speaker,
  };
}

/** Decodes a JSON object within the bounds of the wire; undefined where it is none. Throws nothing. */
export function readMembers(text: string): Members | undefined {
  try {
    const value = parseJson(text);
    return isMembers(value) ? value : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** A copy whose members are in the wire's order, without any that do not belong to the event. */
function dataOf(event: CaptionEvent): unknown {
  switch (event.type) {
    case 'snapshot': {
      const { session, language = null, utterances, live, speaker } = event;
      return {
        session,
        language,
        utterances: utterances.map(captionMembers),
        live: liveMembers(live),
        ...(speaker === undefined ? {} : { speaker }),
      };
    }
    case 'update': {
      const { utterances, live, speaker } = event;
      return {
        utterances: utterances.map(captionMembers),
        ...(live === undefined ? {} : { live: liveMembers(live) }),
        ...(speaker === undefined ? {} : { speaker }),
      };
    }
    case 'closed':
      return {};
  }
}

function liveMembers({ stable, unstable }: LiveCaption): LiveCaption {
  return { stable, unstable };
}

function captionsOf(value: unknown): readonly Caption[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const captions = value.map(captionOf);
  return captions.every((caption) => caption !== undefined) ? captions : undefined;
}

function captionOf(value: unknown): Caption | undefined {
  if (!isMembers(value)) return undefined;
  const { number, text, start_ms: startMs, end_ms: endMs } = value;
  const isCaption = isCount(number) && typeof text === 'string' && isTime(startMs) && isTime(endMs);
  return isCaption ? { number, text, startMs, endMs } : undefined;
}

/** Whole and not negative: readers find a caption's place by it. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** 1e400 is valid JSON and decodes to infinity, which no arithmetic on times survives. */
function isTime(value: unknown): value is number {
  return Number.isFinite(value);
}

/** A state that this version does not know is none. */
function speakerOf(value: unknown): SpeakerState | undefined {
  return SPEAKER_STATES.find((state) => state === value);
}

function liveOf(value: unknown): LiveCaption | undefined {
  if (!isMembers(value)) return undefined;
  const { stable, unstable } = value;
  return typeof stable === 'string' && typeof unstable === 'string' ? { stable, unstable } : undefined;
}
