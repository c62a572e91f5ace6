/** What was judged of the licences of others, as data. A build that meets anything else fails: judge it, then add it here. */

/** SPDX: these ask that their text and the makers' names stay with the code, and no more. */
export const LICENCES: readonly string[] = [
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',

  'CC0-1.0',
  '(MIT OR CC0-1.0)',
];

/** A package that was judged by itself: its licence asks for more, or it holds what its manifest does not say. */
export interface Judgement {
  /** As its manifest says it; another one has to be judged again. */
  readonly licence: string;
  /** What was found, and how we do what is asked. */
  readonly judgement: string;
  /** May it become part of a file of ours? Then nobody could replace it any more. Default true. */
  readonly isBundlable?: boolean;
  /** Texts that must come along, by their name in `texts/`. */
  readonly texts?: readonly string[];
}

const REPLACEABLE =
  'It is in no file of ours: npm installs it unmodified, in a folder of its own, where it can be replaced by another build of it.';

export const JUDGED: Readonly<Record<string, Judgement>> = {
  'codec-parser': {
    licence: 'LGPL-3.0-or-later',
    judgement: `Reads frames for the decoders of FLAC and Vorbis. ${REPLACEABLE} Its source is the package itself (src/); its licence lies there too, and the GPL that this one builds on stands below.`,
    isBundlable: false,
    texts: ['GPL-3.0'],
  },
  'mpg123-decoder': {
    licence: 'MIT',
    judgement: `Holds libmpg123 as WebAssembly, which is LGPL-2.1. ${REPLACEABLE} Sources: https://www.mpg123.de and https://github.com/eshaz/wasm-audio-decoders.`,
    isBundlable: false,
    texts: ['LGPL-2.1'],
  },
  mediabunny: {
    licence: 'MPL-2.0',
    judgement: `Reads MP4 and QuickTime. ${REPLACEABLE} Its source is in the package (src/). MPL-2.0 asks that changes to its files be published; we make none.`,
    isBundlable: false,
  },
  '@wasm-audio-decoders/flac': {
    licence: 'MIT',
    judgement:
      'Holds libFLAC as WebAssembly: BSD-3-Clause, https://github.com/xiph/flac/blob/master/COPYING.Xiph.',
    isBundlable: false,
  },
  '@wasm-audio-decoders/ogg-vorbis': {
    licence: 'MIT',
    judgement:
      'Holds libvorbis and libogg as WebAssembly: BSD-3-Clause, https://github.com/xiph/vorbis/blob/master/COPYING.',
    isBundlable: false,
  },
  'opus-decoder': {
    licence: 'MIT',
    judgement: 'Holds libopus as WebAssembly: BSD-3-Clause, https://github.com/xiph/opus/blob/main/COPYING.',
    isBundlable: false,
  },
  'onnxruntime-node': {
    licence: 'MIT',
    judgement:
      'Holds ONNX Runtime as native libraries, with what is linked into them: https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt.',
    isBundlable: false,
  },
  '@picovoice/pvrecorder-node': {
    licence: 'Apache-2.0',
    judgement:
      'Holds native libraries with miniaudio (public domain or MIT-0): https://github.com/mackron/miniaudio.',
    isBundlable: false,
  },
  'llama-tokenizer-js': {
    licence: 'MIT',
    judgement: "Holds the vocabulary of Llama's tokenizer, which Moonshine's models speak in.",
  },
  'spdx-exceptions': {
    licence: 'CC-BY-3.0',
    judgement: 'A list, unmodified, by The Linux Foundation; https://creativecommons.org/licenses/by/3.0/.',
    texts: [],
  },
};
