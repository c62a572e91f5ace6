/** JSON that travels in messages: events of both sides, shared captions, words of services. */
import { jsonObjectOf } from '../../../packages/deploy/src/json-object.js';
import {
  encodeClientEvent,
  encodeServerEvent,
  ProtocolError,
  parseClientEvent,
  parseServerEvent,
} from '../../../packages/protocol/src/index.js';
import { CaptionStreamReader, encodeCaptionEvent } from '../../../packages/protocol/src/shared-captions.js';
import { readServiceWords } from '../../../packages/sagemaker/src/client/json-body.js';
import { parseCloseText } from '../../../packages/sagemaker/src/event-stream/close-text.js';
import { ServerError } from '../../../packages/server/src/errors.js';
import { CAPTIONS_LIMITS } from '../../../packages/server/src/limits.js';
import {
  readOpenRequest,
  readUpdate,
} from '../../../packages/server/src/shared-captions/caption-requests.js';
import { mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { answerOf, type FuzzTarget, insist, pure } from '../target.js';

const CLIENT_EVENTS = [
  '{"type":"session.update","model":"m"}',
  '{"type":"session.update","model":"m","kikitori":{"words":true,"partials":true,"replay":false,"progress":true}}',
  '{"type":"session.update","model":"m","kikitori":{"resume":{"session":"sess-1","audio_ms":120}}}',
  '{"type":"input_audio_buffer.append","audio":"AAABAP//"}',
  '{"type":"input_audio_buffer.commit"}',
  '{"type":"input_audio_buffer.commit","final":true}',
  '{"type":"input_audio_buffer.commit","final":"yes"}',
] as const;

const SERVER_EVENTS = [
  '{"type":"session.created","id":"sess-1","created":1760000000}',
  '{"type":"transcription.delta","delta":" word","audio_ms":480,"words":[{"text":"word","start_ms":1,"end_ms":2}]}',
  '{"type":"transcription.done","text":"word","usage":{"prompt_tokens":1,"total_tokens":2,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":null}},"audio_ms":4}',
  '{"type":"error","error":"No.","code":"buffer_full"}',
  '{"type":"kikitori.utterance","text":"word","start_ms":0,"end_ms":9,"words":[]}',
  '{"type":"kikitori.progress","received_ms":5,"settled_ms":4,"lag_ms":1}',
  '{"type":"kikitori.partial","text":"wor","audio_ms":3}',
  '{"type":"something.else","a":[1,{"b":null}]}',
] as const;

const SERVICE_WORDS = [
  '{"__type":"com.amazonaws.sagemaker#ModelError:http://x","Message":"WebSocket closed with code 1012: restarting"}',
  '{"message":"code 1000","ErrorCode":"X","OriginalStatusCode":500}',
] as const;

const SECRET = 'A'.repeat(43);
const OPEN_REQUEST = `{"publisher_secret":"${SECRET}","session":"s-1","language":"pt-BR"}`;
const UPDATE =
  '{"session":"s-1","utterances":[{"number":0,"text":"a word","start_ms":0,"end_ms":9}],"live":{"stable":"a","unstable":"b"}}';
const CAPTION_STREAM =
  ':\n\nevent: snapshot\ndata: {"session":"s","language":null,"utterances":[{"number":0,"text":"w","start_ms":0,"end_ms":1}],"live":{"stable":"","unstable":""}}\n\nevent: closed\ndata: {}\n\n';

function clientEvent(random: Random): void {
  const event = parseClientEvent(mutatedText(random.pick(CLIENT_EVENTS), random));
  if (event.type === 'invalid') {
    insist(event.error.wireText.length < 4_096, 'An error repeats more than its bound.');
    return;
  }
  const again = parseClientEvent(encodeClientEvent(event));
  insist(
    JSON.stringify(again) === JSON.stringify(event),
    'An event that was read is not the one that is written.',
  );
}

function serverEvent(random: Random): void {
  const event = parseServerEvent(mutatedText(random.pick(SERVER_EVENTS), random));
  if (event.type === 'invalid' || event.type === 'unknown') return;
  const again = parseServerEvent(encodeServerEvent(event));
  insist(
    JSON.stringify(again) === JSON.stringify(event),
    'An event that was read is not the one that is written.',
  );
}

function serviceWords(random: Random): void {
  const { text } = readServiceWords(mutatedText(random.pick(SERVICE_WORDS), random));
  const close = parseCloseText(text ?? mutatedText('WebSocket closed with code 1012: restarting', random));
  insist(close === undefined || (close.code >= 1000 && close.code <= 4999), 'A close code is none.');
}

function captions(random: Random): void {
  const refused = (read: (body: unknown) => unknown, text: string): void => {
    answerOf(() => {
      const body = jsonObjectOf(text);
      if (body !== undefined) read(body);
    }, ServerError);
  };
  refused(readOpenRequest, mutatedText(OPEN_REQUEST, random));
  refused((body) => readUpdate(body, CAPTIONS_LIMITS), mutatedText(UPDATE, random));
  jsonObjectOf(mutatedText(UPDATE, random));
  captionStream(mutatedText(CAPTION_STREAM, random), random);
}

function captionStream(stream: string, random: Random): void {
  const at = random.whole(stream.length);
  const read = (pieces: readonly string[]) => {
    const reader = new CaptionStreamReader();
    return answerOf(() => pieces.flatMap((piece) => reader.push(piece)), ProtocolError);
  };
  const events = read([stream.slice(0, at), stream.slice(at)]);
  insist(JSON.stringify(events) === JSON.stringify(read([stream])), 'Captions depend on how they are cut.');
  if (events instanceof Error) return;
  const again = read([events.map(encodeCaptionEvent).join('')]);
  insist(JSON.stringify(again) === JSON.stringify(events), 'Captions that were read are not those written.');
}

export const EVENT_TARGETS: readonly FuzzTarget[] = [
  { name: 'client-events', attacks: 10_000, open: pure(clientEvent) },
  { name: 'server-events', attacks: 10_000, open: pure(serverEvent) },
  { name: 'service-words', attacks: 5_000, open: pure(serviceWords) },
  { name: 'captions', attacks: 5_000, open: pure(captions) },
];
