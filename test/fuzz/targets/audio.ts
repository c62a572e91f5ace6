/** Audio files: every parser of ours alone, and whole files through the same door as users' files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AudioError } from '../../../packages/audio/src/errors.js';
import { ByteCursor } from '../../../packages/audio/src/file/byte-cursor.js';
import { openFlac } from '../../../packages/audio/src/file/flac-frames.js';
import {
  ac3FrameAt,
  adtsFrameAt,
  countFrames,
  mpegFrameAt,
} from '../../../packages/audio/src/file/frame-sync.js';
import { decodeFile } from '../../../packages/audio/src/file/index.js';
import { openMatroska } from '../../../packages/audio/src/file/matroska-packets.js';
import { oggPackets } from '../../../packages/audio/src/file/ogg-packets.js';
import { pcmLayoutOf } from '../../../packages/audio/src/file/pcm-layout.js';
import { sniff } from '../../../packages/audio/src/file/sniff.js';
import {
  decodeBase64,
  decodeBase64Leniently,
  encodeWav,
  WavDecoder,
} from '../../../packages/audio/src/index.js';
import {
  flacFrame,
  flacHead,
  flacHeader,
  matroskaElement,
  oggPage,
} from '../../../packages/audio/test/file/hostile-bytes.js';
import { cutAnywhere, mutated, mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { answerOf, type FuzzSubject, type FuzzTarget, insist, pure, settledAnswerOf } from '../target.js';

/** Enough of a file for its headers and some sound; the rest says nothing new and takes its time. */
const SEED_BYTES_MAX = 48 * 1024;
/** Odd and broken files of every format; absent elsewhere. */
const FORMATS_FOLDER = fileURLToPath(new URL('../../../../shared/speech/formats/', import.meta.url));
const OWN_FILES = ['samples/ferry.flac', 'packages/cli/assets/sample.opus'] as const;

type Seeds = readonly [Uint8Array, ...Uint8Array[]];

function tone(lengthSamples: number): Float32Array {
  return Float32Array.from({ length: lengthSamples }, (_, at) => Math.sin(at / 9) / 2);
}

function wavSeeds(): Seeds {
  const wav = (channels: 1 | 2, encoding: 's16le' | 'f32le'): Uint8Array =>
    encodeWav(tone(800), { sampleRateHz: 16_000, channels, encoding });
  return [wav(1, 's16le'), wav(2, 's16le'), wav(1, 'f32le'), aiff(), au(), ...odd(/\.(wav|WAV|w64|rf64)$/)];
}

/** The smallest AIFF: 16 bits, one channel; the rate as 80-bit float. */
function aiff(): Uint8Array {
  const head = Buffer.from(
    '464f524d0000006e41494646434f4d4d00000012000100000020001040' +
      '0cfa00000000000000' +
      '53534e4400000048' +
      '0000000000000000',
    'hex',
  );
  return Buffer.concat([head, Buffer.alloc(64, 7)]);
}

function au(): Uint8Array {
  return Buffer.concat([
    Buffer.from('2e736e64000000180000004000000003' + '00003e8000000001', 'hex'),
    Buffer.alloc(64, 7),
  ]);
}

function odd(names: RegExp): Uint8Array[] {
  if (!existsSync(FORMATS_FOLDER)) return [];
  return ['ok', 'broken'].flatMap((folder) =>
    readdirSync(`${FORMATS_FOLDER}${folder}`)
      .filter((name) => names.test(name))
      .map((name) => readFileSync(`${FORMATS_FOLDER}${folder}/${name}`).subarray(0, SEED_BYTES_MAX)),
  );
}

function everySeed(): Seeds {
  const own = OWN_FILES.map((name) =>
    readFileSync(new URL(`../../../${name}`, import.meta.url)).subarray(0, SEED_BYTES_MAX),
  );
  return [...wavSeeds(), ...own, ...odd(/\.(?!wav$|WAV$)/)];
}

/** The smallest containers: whatever is repeated of them holds a mark or a header. */
function smallContainers(): Seeds {
  const body = Buffer.from('abc');
  const track = [matroskaElement(0xd7, Uint8Array.of(1)), matroskaElement(0x83, Uint8Array.of(2))];
  const tracks = matroskaElement(0x1654ae6b, matroskaElement(0xae, Buffer.concat(track)));
  const block = matroskaElement(0xa3, Uint8Array.of(0x81, 0, 0, 0, 7));
  return [
    Buffer.concat([flacHead, ...[1, 2, 3].map((number) => flacFrame(number, body))]),
    Buffer.concat([flacHead, ...[1, 2, 3].map(flacHeader)]),
    Buffer.concat([0, 1, 2].map((sequence) => oggPage(sequence, body))),
    Buffer.concat([Buffer.from('OggS'), Buffer.alloc(27, 0xff), Buffer.from('OggS')]),
    Buffer.concat([tracks, block, block]),
  ];
}

async function* flowing(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}

function openWavs(): FuzzSubject {
  const seeds = wavSeeds();
  return {
    attack: (random) => {
      const bytes = mutated(random.pick(seeds), random);
      const decoder = new WavDecoder();
      const answer = answerOf(() => {
        let samples = 0;
        for (const piece of cutAnywhere(bytes, random)) samples += decoder.push(piece).length;
        decoder.finish();
        return samples;
      }, AudioError);
      insist(answer instanceof Error || answer <= bytes.length * 2, 'A WAV holds more than its bytes.');
    },
  };
}

/** Sniffing and the containers that we take apart ourselves, without any decoder. */
function openContainers(): FuzzSubject {
  const seeds = everySeed();
  const small = smallContainers();
  return {
    attack: async (random) => {
      const bytes = mutated(random.pick(random.chance(0.5) ? small : seeds), random);
      const found = sniff(bytes, random.chance(0.5));
      if (found.kind === 'audio') answerOf(() => pcmLayoutOf(found.format, bytes), AudioError);
      for (const frameAt of [mpegFrameAt, adtsFrameAt, ac3FrameAt]) countFrames(bytes, 0, 8, frameAt);
      const cut = (): AsyncGenerator<Uint8Array, void> => flowing(cutAnywhere(bytes, random));
      await settledAnswerOf(() => drain(oggPackets(cut()), bytes.length), AudioError);
      await settledAnswerOf(
        async () => drain((await openMatroska(new ByteCursor(cut())))?.packets, bytes.length),
        AudioError,
      );
      await settledAnswerOf(
        async () => drain((await openFlac(new ByteCursor(cut())))?.frames, bytes.length),
        AudioError,
      );
    },
  };
}

/** Reads all; no container holds more packets than bytes, or more bytes than came. */
async function drain(
  packets: AsyncIterable<{ readonly bytes: Uint8Array }> | undefined,
  bytesMax: number,
): Promise<void> {
  let count = 0;
  let bytes = 0;
  for await (const packet of packets ?? []) {
    count += 1;
    bytes += packet.bytes.length;
    insist(count <= bytesMax && bytes <= bytesMax, 'A container holds more than came.');
  }
}

/** The whole way, without ffmpeg: our parsers, and the libraries in their thread. */
function openFiles(): FuzzSubject {
  const seeds = everySeed();
  return {
    attack: async (random) => {
      const bytes = mutated(random.pick(seeds), random);
      const source = random.chance(0.5) ? bytes : flowing(cutAnywhere(bytes, random));
      await settledAnswerOf(async () => {
        const file = await decodeFile(source, { ffmpeg: false, maxDurationMs: 60_000 });
        for await (const chunk of file) {
          insist(chunk.length <= 8_000, 'A chunk is longer than half a second.');
          insist(
            chunk.every((sample) => Number.isFinite(sample)),
            'A sample is not a number.',
          );
        }
      }, AudioError);
    },
  };
}

const decodeBase64Both = (random: Random): void => {
  const text = mutatedText(Buffer.from(random.bytes(random.whole(64))).toString('base64'), random);
  answerOf(() => decodeBase64(text), AudioError);
  const lenient = answerOf(() => decodeBase64Leniently(text), AudioError);
  insist(lenient === undefined || lenient instanceof Error || lenient.length <= text.length, 'Base64 grew.');
};

export const AUDIO_TARGETS: readonly FuzzTarget[] = [
  { name: 'base64', attacks: 10_000, open: pure(decodeBase64Both) },
  { name: 'wav', attacks: 5_000, open: openWavs },
  { name: 'containers', attacks: 600, open: openContainers },
  { name: 'audio-files', attacks: 40, isOutside: true, open: openFiles },
];
