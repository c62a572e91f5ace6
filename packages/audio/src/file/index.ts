export type { PcmEncoding } from '../pcm-samples.js';
export type { FileSource } from './byte-source.js';
export { type DecodedFile, type DecodeFileOptions, decodeFile } from './decode-file.js';
export { findFfmpeg } from './find-ffmpeg.js';
export type { AudioFormat } from './format-table.js';
export { type ChildLimits, limitedCommand } from './limited-command.js';
export { descriptorOf, isStreamPath } from './path-stream.js';
export { type RawFormat, rawFormatOfName } from './raw-format.js';
export type { DecoderName } from './speech-stream.js';
