import type { ModelFile, ModelManifest } from './manifest.js';

/** A file of a catalogue model and where it lies in its tarball. */
export interface CatalogueFile extends ModelFile {
  /** Path in the tarball, `package/` included. */
  readonly from: string;
}

/** A model that is pulled by its name. Every byte of it is pinned. */
export interface CatalogueEntry extends ModelManifest {
  /** One line for people. */
  readonly description: string;
  readonly source: Extract<ModelManifest['source'], { readonly type: 'npm' }>;
  /** Size of the tarball that is fetched. */
  readonly downloadBytes: number;
  readonly files: readonly CatalogueFile[];
}

/**
 * The models that are pulled by name. They come as tarballs of npm packages, fetched alone: a registry is what
 * everybody who runs this can reach. Integrities are the registry's own (`npm view <package>@<version>
 * dist.integrity`); sizes and SHA-256 were taken from the unpacked files.
 *
 * Moonshine (Useful Sensors, arXiv:2410.15608), English, in the 8-bit ONNX export with a merged decoder.
 */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    schema: 1,
    name: 'base',
    kind: 'moonshine',
    description: 'Moonshine Base, English, 8 bit: the more accurate one',
    licence: 'MIT',
    languages: ['en'],
    source: {
      type: 'npm',
      package: '@usefulsensors/moonshine-js',
      version: '0.1.8',
      integrity:
        'sha512-wQvRNZL8CvaDMzFDiwIR/K9AAyhJROPNMyBLRf2kvEj8ucZdKwsrQb9Xa8T5RZ6v0RmQiEI7Nn2VpBkp6AubVg==',
    },
    downloadBytes: 72_709_978,
    files: [
      {
        role: 'encoder',
        name: 'encoder_model.onnx',
        from: 'package/dist/model/base/quantized/encoder_model.onnx',
        sizeBytes: 20_513_063,
        sha256: '1dd9ab0a7f987113d30affcba5a068d11c8f90fa0223caa3e491ade431ad9751',
      },
      {
        role: 'decoder',
        name: 'decoder_model_merged.onnx',
        from: 'package/dist/model/base/quantized/decoder_model_merged.onnx',
        sizeBytes: 42_498_870,
        sha256: 'cc9f3cd6698a369c6008b41aa60aa3fb3322e7f03c9bdf19d8e6b7200afca4f3',
      },
    ],
  },
  {
    schema: 1,
    name: 'tiny',
    kind: 'moonshine',
    description: 'Moonshine Tiny, English, 8 bit: the faster one',
    // The package also carries a Spanish model under another licence; it is not unpacked.
    licence: 'MIT',
    languages: ['en'],
    source: {
      type: 'npm',
      package: '@moonshine-ai/moonshine-js',
      version: '0.1.29',
      integrity:
        'sha512-Gx1B3mJcbM68ihSy/LyJEuEkGq7sYMqTb04zNdcIeidU0URVlSmXP0GyiQOTTAqDZQXlIC7k+bky+FdXk0UPlg==',
    },
    downloadBytes: 21_514_347,
    files: [
      {
        role: 'encoder',
        name: 'encoder_model.onnx',
        from: 'package/dist/model/tiny/quantized/encoder_model.onnx',
        sizeBytes: 7_937_661,
        sha256: 'c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a',
      },
      {
        role: 'decoder',
        name: 'decoder_model_merged.onnx',
        from: 'package/dist/model/tiny/quantized/decoder_model_merged.onnx',
        sizeBytes: 20_243_286,
        sha256: 'eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367',
      },
    ],
  },
  {
    schema: 1,
    name: 'silero',
    kind: 'silero',
    description: 'Silero VAD 5 and 6: where speech begins and ends',
    // Silero VAD is MIT; the package around it is ISC.
    licence: 'MIT',
    languages: [],
    source: {
      type: 'npm',
      package: '@ricky0123/vad-web',
      version: '0.0.31',
      integrity:
        'sha512-ePVq8TvB21sdHSxVMZOEIf9JVa7MAYpaIaNXeGgsPOiMCN8xbPCdF2LS5aYj7VRR3ZxzutedgV9ZplV65IA1Fg==',
    },
    downloadBytes: 5_471_324,
    files: [
      {
        role: 'v5',
        name: 'silero_vad_v5.onnx',
        from: 'package/dist/silero_vad_v5.onnx',
        sizeBytes: 2_327_524,
        sha256: '2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f',
      },
      {
        role: 'v6',
        name: 'silero_vad_v6.onnx',
        from: 'package/dist/silero_vad_v6.onnx',
        sizeBytes: 2_327_524,
        sha256: '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
      },
    ],
  },
];
