export type { Caption, LiveCaption, SpeakerState } from '@kikitori/protocol/shared-captions';
export {
  CaptionPublisher,
  type CaptionPublisherOptions,
  type CaptionShare,
  type SharingStatus,
} from './shared-captions/caption-publisher.js';
export { type CaptionView, EMPTY_VIEW } from './shared-captions/caption-view.js';
export {
  type CaptionStatus,
  type FollowCaptionsOptions,
  followCaptions,
} from './shared-captions/follow-captions.js';
export type { SpokenState, SpokenUtterance } from './shared-captions/publication.js';
