export { encodeBase64 } from './base64.js';
export { decodeBase64, decodeBase64Leniently } from './base64-decoder.js';
export { Downmixer, type DownmixerOptions } from './downmix.js';
export { AUDIO_ERRORS, AudioError, type AudioErrorCode, type AudioErrorRule } from './errors.js';
export { Framer } from './framer.js';
export { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from './g711.js';
export { LEVEL_DBFS_MIN, type Level, measureLevel } from './level.js';
export { CHANNELS_MAX, SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN, SPEECH_RATE_HZ } from './limits.js';
export type { PcmEncoding } from './pcm-samples.js';
export {
  float32ToInt16,
  float32ToPcm16,
  int16ToFloat32,
  int16ToPcm16,
  Pcm16Decoder,
  pcm16ToFloat32,
  pcm16ToInt16,
} from './pcm16.js';
export { RawAudioReader, type RawAudioReaderOptions } from './raw-audio-reader.js';
export { Resampler, type ResamplerOptions, resample } from './resampler.js';
export { SpeechConverter, type SpeechConverterOptions } from './speech-converter.js';
export type { WavContainer } from './wav-container.js';
export { WavDecoder, type WavSummary } from './wav-decoder.js';
export { encodeWav, type WavWriteEncoding, type WavWriteOptions, wavHeader } from './wav-encoder.js';
export type { WavFormat } from './wav-format.js';
