/** What readers of shared captions are told, both ends of it. Subpath `@kikitori/protocol/shared-captions`. */

export {
  type CaptionMembers,
  captionMembers,
  encodeCaptionEvent,
  HEARTBEAT,
  readCaptionEvent,
  readMembers,
} from './shared-captions/caption-codec.js';
export {
  type Caption,
  type CaptionChange,
  type CaptionEvent,
  type CaptionSnapshot,
  type LiveCaption,
  SILENCE,
  SPEAKER_STATES,
  type SpeakerState,
} from './shared-captions/caption-event.js';
export { CaptionStreamReader } from './shared-captions/caption-stream-reader.js';
