import type { CaptionStatus, CaptionView, SpeakerState } from '@kikitori/client/shared-captions';

/** What the quiet line above the words says: the speaker's state while the line holds, else what is wrong with the line. */
export type CaptionStanding = SpeakerState | 'connecting' | 'away' | 'incomplete' | 'sample';

/** `live` only while somebody is: of a link that nobody shares under any more it is known whether it ended or has not begun. */
export function standingOf({ speaker }: CaptionView, status: CaptionStatus): CaptionStanding {
  switch (status) {
    case 'connecting':
    case 'away':
      return status;
    case 'waiting':
      return speaker === 'ended' ? 'ended' : 'waiting';
    case 'following':
      // A server that does not say how the speaker stands has words at least.
      return speaker ?? 'live';
  }
}
