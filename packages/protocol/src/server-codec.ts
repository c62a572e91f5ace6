/** What a server says: text to events and back. See `invalid-event.ts` for what both directions share. */
import { ProtocolError } from './errors.js';
import type { KikitoriWord, ServerEvent, UnknownServerEvent, Usage } from './events/server.js';
import { type InvalidEvent, settled } from './invalid-event.js';
import { isMembers, type Members, parseJson } from './parse-json.js';

type ReadEvent<Type extends ServerEvent['type']> = Omit<
  Extract<ServerEvent, { readonly type: Type }>,
  'type'
>;

/** One reader per known type, of everything but the type; the mapped type keeps the table complete. */
const READERS: { readonly [Type in ServerEvent['type']]: (members: Members) => ReadEvent<Type> } = {
  'session.created': (members) => ({
    id: stringOf(members, 'id'),
    created: numberOf(members, 'created'),
  }),
  'transcription.delta': (members) => ({
    delta: stringOf(members, 'delta'),
    // Without a position it is not our extension, whatever it is.
    ...(members['audio_ms'] === undefined
      ? {}
      : {
          audio_ms: numberOf(members, 'audio_ms'),
          ...(members['words'] === undefined ? {} : { words: wordsOf(members['words']) }),
          ...doubtOf(members),
        }),
  }),
  'transcription.done': (members) => ({
    text: stringOf(members, 'text'),
    usage: usageOf(members['usage']),
    ...optional(members, 'audio_ms'),
  }),
  error: (members) => ({
    error: stringOf(members, 'error'),
    // AWS's sample bridge sends errors without a code.
    code: typeof members['code'] === 'string' ? members['code'] : null,
  }),
  'kikitori.onset': (members) => ({ start_ms: numberOf(members, 'start_ms') }),
  'kikitori.utterance': (members) => ({
    ...wordOf(members),
    words: wordsOf(members['words']),
    ...doubtOf(members),
  }),
  'kikitori.progress': (members) => ({
    received_ms: numberOf(members, 'received_ms'),
    settled_ms: numberOf(members, 'settled_ms'),
    ...optional(members, 'lag_ms'),
  }),
  'kikitori.partial': (members) => ({
    text: stringOf(members, 'text'),
    audio_ms: numberOf(members, 'audio_ms'),
  }),
};

function isKnownType(type: string): type is ServerEvent['type'] {
  return Object.hasOwn(READERS, type);
}

/**
 * Reads one message of a server. Types that this package does not know pass through as `UnknownServerEvent`; a
 * known type with a missing or mistyped member is invalid (`invalid_event`, naming the member, never its value).
 */
export function parseServerEvent(text: string): ServerEvent | UnknownServerEvent | InvalidEvent {
  return settled(() => {
    const raw = membersOf(parseJson(text), 'event');
    const name = stringOf(raw, 'type');
    if (!isKnownType(name)) return { type: 'unknown', name, raw };
    // Cast: that a type and its reader belong together is the table's own type.
    return { type: name, ...READERS[name](raw) } as ServerEvent;
  });
}

/** One message: compact, members in vLLM's order, nulls included, non-ASCII as it is. */
export function encodeServerEvent(event: ServerEvent): string {
  return JSON.stringify(ordered(event));
}

/** A copy whose members are in the wire's order, without any that do not belong to the event. */
function ordered(event: ServerEvent): ServerEvent {
  const { type } = event;
  switch (type) {
    case 'session.created':
      return { type, id: event.id, created: event.created };
    case 'transcription.delta': {
      const { delta, audio_ms, words, unsure } = event;
      return {
        type,
        delta,
        ...(audio_ms === undefined ? {} : { audio_ms }),
        ...(words === undefined ? {} : { words: words.map(orderedWord) }),
        ...(unsure === undefined ? {} : { unsure }),
      };
    }
    case 'transcription.done': {
      const { text, usage, audio_ms } = event;
      return {
        type,
        text,
        usage: usage === null ? null : orderedUsage(usage),
        ...(audio_ms === undefined ? {} : { audio_ms }),
      };
    }
    case 'error':
      return { type, error: event.error, code: event.code };
    case 'kikitori.onset':
      return { type, start_ms: event.start_ms };
    case 'kikitori.utterance': {
      const { text, start_ms, end_ms, unsure } = event;
      const words = event.words.map(orderedWord);
      return { type, text, start_ms, end_ms, words, ...(unsure === undefined ? {} : { unsure }) };
    }
    case 'kikitori.progress':
      return {
        type,
        received_ms: event.received_ms,
        settled_ms: event.settled_ms,
        ...(event.lag_ms === undefined ? {} : { lag_ms: event.lag_ms }),
      };
    case 'kikitori.partial':
      return { type, text: event.text, audio_ms: event.audio_ms };
  }
}

function orderedUsage({
  prompt_tokens,
  total_tokens,
  completion_tokens,
  prompt_tokens_details,
}: Usage): Usage {
  return {
    prompt_tokens,
    total_tokens,
    completion_tokens,
    prompt_tokens_details:
      prompt_tokens_details === null ? null : { cached_tokens: prompt_tokens_details.cached_tokens },
  };
}

function orderedWord({ text, start_ms, end_ms }: KikitoriWord): KikitoriWord {
  return { text, start_ms, end_ms };
}

function refusal(wanted: string): ProtocolError {
  return new ProtocolError('invalid_event', `Not ${wanted}`);
}

function membersOf(value: unknown, name: string): Members {
  if (isMembers(value)) return value;
  throw refusal(`an object: ${name}`);
}

function stringOf(members: Members, name: string): string {
  const value = members[name];
  if (typeof value === 'string') return value;
  throw refusal(`a string: ${name}`);
}

function numberOf(members: Members, name: string): number {
  const value = members[name];
  // 1e400 is valid JSON and decodes to infinity, which no arithmetic on times survives.
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw refusal(`a number: ${name}`);
}

/** A number that older servers, or those of whom it was not asked, leave out. */
function optional<Name extends string>(members: Members, name: Name): { readonly [name in Name]?: number } {
  // The key is `name` and the value a number: TypeScript widens computed keys to string.
  return members[name] === undefined
    ? {}
    : ({ [name]: numberOf(members, name) } as { readonly [name in Name]?: number });
}

/** vLLM's schema allows null and defaults; older versions leave members out. */
function usageOf(value: unknown): Usage | null {
  if (value === undefined || value === null) return null;
  const members = membersOf(value, 'usage');
  const { prompt_tokens_details: details } = members;
  return {
    prompt_tokens: numberOf(members, 'prompt_tokens'),
    total_tokens: numberOf(members, 'total_tokens'),
    completion_tokens: numberOf(members, 'completion_tokens'),
    prompt_tokens_details: isMembers(details) ? { cached_tokens: cachedTokensOf(details) } : null,
  };
}

function cachedTokensOf(details: Members): number | null {
  const { cached_tokens } = details;
  return cached_tokens === null || cached_tokens === undefined ? null : numberOf(details, 'cached_tokens');
}

/** Ours; of other servers it may be anything, and then it says nothing. */
function doubtOf(members: Members): { readonly unsure?: true } {
  return members['unsure'] === true ? { unsure: true } : {};
}

function wordsOf(value: unknown): KikitoriWord[] {
  if (!Array.isArray(value)) throw refusal('a list: words');
  return value.map((word: unknown) => wordOf(membersOf(word, 'words[]')));
}

/** What words and utterances have in common. */
function wordOf(members: Members): KikitoriWord {
  return {
    text: stringOf(members, 'text'),
    start_ms: numberOf(members, 'start_ms'),
    end_ms: numberOf(members, 'end_ms'),
  };
}
