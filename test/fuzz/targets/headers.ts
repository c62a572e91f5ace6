/** Headers of HTTP, read without sockets: those of browsers, proxies, clients of AWS and model hubs; and forms. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { askedWaitMs } from '@kikitori/core/hub';
import { ManualClock } from '@kikitori/core/manual-clock';
import { FfmpegReport } from '../../../packages/audio/src/file/ffmpeg-report.js';
import { fieldsOf, frameFile } from '../../../packages/bridge/src/invocation/form.js';
import { PieceWords } from '../../../packages/client/src/replay/piece-words.js';
import { placesIn } from '../../../packages/engine-upstream/src/watch/places.js';
import { parseLanguage } from '../../../packages/protocol/src/languages.js';
import {
  canonicalRequest,
  parseAuthorization,
} from '../../../packages/sagemaker/src/event-stream/request-signature.js';
import {
  findOperation,
  readInvocation,
  readPlainInvocation,
} from '../../../packages/sagemaker/src/stand-in/request-validation.js';
import { ServerError } from '../../../packages/server/src/errors.js';
import { createPages, type Pages } from '../../../packages/server/src/http/pages.js';
import { type FormFields, readUploadForm } from '../../../packages/server/src/http/upload-form.js';
import { HTTP_LIMITS } from '../../../packages/server/src/limits.js';
import { shareNameOf, TrustedProxies } from '../../../packages/transport/src/doors/index.js';
import { retryAfterMs } from '../../../packages/transport/src/retry-after.js';
import { cutAnywhere, mutated, mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { type FuzzSubject, type FuzzTarget, insist, pure, settledAnswerOf } from '../target.js';

/** Values of headers cannot hold more than Latin-1, and no line ends. */
function header(text: string, random: Random): string {
  return mutatedText(text, random).replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
}

/** The parts of a request and of an answer that pages look at. */
function ask(pages: Pages, headers: Record<string, string>): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  const response = {
    on: () => response,
    setHeader: () => response,
    writeHead: (status: number, heads: Record<string, unknown>) => {
      Object.assign(told, heads, { status });
      return response;
    },
    end: () => response,
  };
  // Casts: nothing else of the two is looked at.
  const request = { url: '/', method: 'GET', headers } as unknown as IncomingMessage;
  pages.handle(request, response as unknown as ServerResponse);
  return told;
}

async function openPages(): Promise<FuzzSubject> {
  const bytes = Buffer.from('word '.repeat(1_000));
  const pages = await createPages([{ path: '/', type: 'text/html; charset=utf-8', bytes }]);
  return {
    attack: (random) => {
      const told = ask(pages, {
        'accept-encoding': header(
          random.pick(['gzip, deflate, br;q=1.0', 'gzip ; q=0.000 , *', 'br']),
          random,
        ),
        'if-none-match': header('W/"x", "y"', random),
        host: header('[::1]:8000', random),
      });
      insist(told['status'] === 200 || told['status'] === 304, 'A page is answered with something else.');
    },
  };
}

const PROXIES = new TrustedProxies(['10.0.0.0/8', 'fd00::/8']);

function addressesOnTheWay(random: Random): void {
  const forwarded = header(
    random.pick(['203.0.113.7, 10.0.0.1', '[fd00::1%eth0]:80, 10.1.1.1', '10.0.0.2']),
    random,
  );
  const client = PROXIES.clientOf('10.0.0.9', forwarded);
  insist(shareNameOf(client).length < 64, 'A name of an address is longer than an address.');
}

const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/sagemaker/aws4_request, SignedHeaders=:authority;host;x-amz-date, Signature=${'0'.repeat(64)}`;

function awsHeaders(random: Random): void {
  const parsed = parseAuthorization(header(AUTHORIZATION, random));
  const headers = {
    host: header('localhost', random),
    'x-amz-date': header('20260101T000000Z  x', random),
    'content-type': 'application/vnd.amazon.eventstream',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-EVENTS',
    'x-amzn-sagemaker-model-invocation-path': header('v1/realtime', random),
    'x-amzn-sagemaker-model-query-string': header('a=b&c=%41', random),
    'x-amzn-sagemaker-target-variant': header('variant-1', random),
    'x-amzn-sagemaker-custom-attributes': header('language=en&response_format=text', random),
  };
  const word = random.pick(['-bidirectional-stream', '-response-stream', '']);
  const path = header(`/endpoints/name-1/invocations${word}`, random);
  const request = { method: 'POST', path, query: header('a=b&c=d', random), headers };
  canonicalRequest(request, parsed?.signedHeaders ?? ['host', 'x-amz-date']);
  const asked = { ...request, headerBytes: 0 };
  const found = findOperation(asked);
  readInvocation(asked, found.value?.label ?? 'x');
  readPlainInvocation(asked, found.value?.label ?? 'x');
  // What the bridge makes of the same: its fields stand in front of the file, each in a part of its own.
  const fields = fieldsOf({ url: path, headers } as Partial<IncomingMessage> as IncomingMessage);
  const { head } = frameFile(fields, headers['content-type']);
  const parts = [...fields.values()].reduce((sum, values) => sum + values.length, 1);
  insist(head.toString().split('Content-Disposition').length > parts, 'A field is missing in a form.');
}

function waits(random: Random): void {
  const text = header(random.pick(['120', 'Fri, 01 Jan 2100 00:00:00 GMT', '"api";r=0;t=55']), random);
  const waitMs = retryAfterMs(text, 0);
  insist(waitMs === undefined || waitMs >= 0, 'A wait is none.');
  const asked = askedWaitMs(
    new Headers({ 'retry-after': text, ratelimit: header('"api";r=0;t=55', random) }),
  );
  insist(asked === undefined || asked < 1e9, 'A wait is none.');
  parseLanguage(mutatedText('pt_BR.UTF-8@x', random));
}

const REPORT = [
  "[info] Input #0, mov, from 'pipe:0':",
  '[info]   Duration: 00:00:04.05, start: 0.000000, bitrate: 64 kb/s',
  '[info]   Stream #0:0(und): Audio: aac (LC) (mp4a / 0x6134706D), 16000 Hz, mono',
  '[error] Decoder (codec none) not found for input stream #0:0',
].join('\n');

/** Words that somebody else's program or model chose, from what it was given. */
function foreignWords(random: Random): void {
  const report = new FfmpegReport();
  report.add(mutatedText(REPORT, random));
  insist(report.toError(1).message.length < 256, 'An error repeats what ffmpeg said.');
  void [report.durationMs, report.hasErrors];
  const words = new PieceWords();
  const text = mutatedText(' First words 日本語 spoken.', random);
  const whole = [...words.take(text, 1_000), ...words.finish()].filter(({ type }) => type === 'whole');
  insist(whole.map(({ word }) => word.written).join('') === text, 'Words of a delta are lost.');
  const found = placesIn(mutatedText(METRICS, random), { maxModelLen: undefined, utteranceMsMax: 120_000 });
  insist(found === undefined || found.places >= 1, 'A server is said to carry nobody.');
}

const METRICS =
  'vllm:cache_config_info{block_size="16",kv_cache_size_tokens="65536",num_gpu_blocks="2048"} 1.0\nkikitori_sessions_max 4\n';

const BOUNDARY = 'edge';
const FORM = [
  'Content-Disposition: form-data; name="model"\r\n\r\nscripted',
  'Content-Disposition: form-data; name="timestamp_granularities[]"\r\n\r\nword',
  'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF',
]
  .map((part) => `--${BOUNDARY}\r\n${part}\r\n`)
  .join('')
  .concat(`--${BOUNDARY}--\r\n`);

async function form(random: Random): Promise<void> {
  const isHeader = random.chance(0.3);
  const bytes = Buffer.from(FORM);
  const type = `multipart/form-data; boundary=${BOUNDARY}`;
  const request = Readable.from(cutAnywhere(isHeader ? bytes : mutated(bytes, random), random));
  const headers = { 'content-type': isHeader ? header(type, random) : type };
  const body = Object.assign(request, { headers, complete: true }) as unknown as IncomingMessage;
  const clock = new ManualClock();
  const abort = new AbortController();
  const fields = await settledAnswerOf(async (): Promise<FormFields> => {
    const reading = readUploadForm(body, { limits: HTTP_LIMITS, clock, signal: abort.signal });
    // A form that ends too early waits for its end, until its time is over.
    let isWaiting = true;
    const passTime = (): void => {
      if (request.closed) clock.advance(HTTP_LIMITS.bodyStallMs);
      if (isWaiting) setImmediate(passTime);
    };
    passTime();
    try {
      return await reading.fields;
    } finally {
      isWaiting = false;
      await reading.close();
    }
  }, ServerError);
  insist(
    fields instanceof Error || fields.size <= HTTP_LIMITS.fieldsMax,
    'A form has more fields than it may.',
  );
}

export const HEADER_TARGETS: readonly FuzzTarget[] = [
  { name: 'pages', attacks: 2_000, open: openPages },
  { name: 'proxies', attacks: 2_000, open: pure(addressesOnTheWay) },
  { name: 'aws-headers', attacks: 2_000, open: pure(awsHeaders) },
  { name: 'waits', attacks: 2_000, open: pure(waits) },
  { name: 'foreign-words', attacks: 2_000, open: pure(foreignWords) },
  { name: 'forms', attacks: 200, open: () => ({ attack: form }) },
];
