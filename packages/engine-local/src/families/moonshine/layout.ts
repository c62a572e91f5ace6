/** Which files make a Moonshine export, by name. One table for folders on disk and for repositories on a hub. */
import type { ModelFiles } from '../family.js';

const FOLDERS = ['', 'onnx/'];

/** 8 bit first: it is what the engine was measured with, and an export that has it mostly has 32 bit beside it. */
const SUFFIXES = ['_quantized', '_int8', ''];

/** What was looked for, for an error's sentence. */
export const LAYOUT_SENTENCE =
  'looked for encoder_model.onnx with decoder_model_merged.onnx (also with _quantized or _int8 before .onnx), ' +
  'in the folder and in its onnx folder';

/** The first layout whose encoder and decoder are both there; undefined when none is. */
export function findLayout(paths: ReadonlySet<string>): ModelFiles | undefined {
  for (const folder of FOLDERS) {
    for (const suffix of SUFFIXES) {
      const encoder = `${folder}encoder_model${suffix}.onnx`;
      const decoder = `${folder}decoder_model_merged${suffix}.onnx`;
      if (!paths.has(encoder) || !paths.has(decoder)) continue;
      const tokenizer = firstOf(paths, [`${folder}tokenizer.json`, 'tokenizer.json']);
      const config = firstOf(paths, [`${folder}config.json`, 'config.json']);
      return {
        encoder,
        decoder,
        ...(tokenizer === undefined ? {} : { tokenizer }),
        ...(config === undefined ? {} : { config }),
      };
    }
  }
  return undefined;
}

function firstOf(paths: ReadonlySet<string>, wanted: readonly string[]): string | undefined {
  return wanted.find((path) => paths.has(path));
}
