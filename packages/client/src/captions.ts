export type { Caption, LiveCaption } from '@kikitori/protocol/shared-captions';
export {
  CaptionPublisher,
  type CaptionPublisherOptions,
  type CaptionShare,
  type SharingStatus,
} from './captions/caption-publisher.js';
export { type CaptionView, EMPTY_VIEW } from './captions/caption-view.js';
export {
  type CaptionStatus,
  type FollowCaptionsOptions,
  followCaptions,
} from './captions/follow-captions.js';
export type { SpokenState, SpokenUtterance } from './captions/publication.js';
