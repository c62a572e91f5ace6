export { type Capture, type CaptureOptions, type CaptureState, startCapture } from './capture.js';
export {
  type DecodedRecording,
  type DecodeFileOptions,
  type DecodeLanesOptions,
  decodeFile,
  decodeLanes,
} from './decode-file.js';
export {
  canShareTabAudio,
  listMicrophones,
  type MicrophoneInfo,
  type MicrophoneOptions,
  openMicrophone,
  openTabAudio,
  watchMicrophones,
} from './devices.js';
export { CAPTURE_ERRORS, CaptureError, type CaptureErrorCode } from './errors.js';
export { CAPTURE_LIMITS } from './limits.js';
export { keepAwake } from './wake-lock.js';
