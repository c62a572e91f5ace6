import { AudioError } from '../errors.js';
import { CHANNELS_MAX, LANES_MAX } from '../limits.js';

/**
 * What is to be heard of a recording with several channels: `auto` finds out whether they hold different voices; `mix` is all of
 * them as one; `each` is every channel apart; a number is that channel alone, from 1 on.
 */
export type ChannelWish = 'auto' | 'mix' | 'each' | number;

/**
 * Channels that are heard apart, each lane a list of the channels that are mixed for it, from 0 on. At least one lane, and
 * at least one channel in each.
 */
export type Lanes = readonly (readonly number[])[];

const WORDS = ['auto', 'mix', 'each'] as const;

/** The wish that a text stands for; undefined for any other text. */
export function parseChannelWish(text: string): ChannelWish | undefined {
  const word = WORDS.find((one) => one === text);
  if (word !== undefined) return word;
  const number = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= CHANNELS_MAX ? number : undefined;
}

/** All channels as one. */
export function mixedLanes(channels: number): Lanes {
  return [Array.from({ length: channels }, (_, channel) => channel)];
}

/**
 * The lanes of a wish for a recording with so many channels; `auto` is mixed. A channel that is not there, or more than
 * `LANES_MAX` apart → `AudioError` `invalid_argument`.
 */
export function lanesOfWish(wish: ChannelWish, channels: number): Lanes {
  if (wish === 'auto' || wish === 'mix') return mixedLanes(channels);
  if (wish === 'each') {
    if (channels <= LANES_MAX) return Array.from({ length: channels }, (_, channel) => [channel]);
    throw new AudioError(
      'invalid_argument',
      `This recording has ${channels} channels, and ${LANES_MAX} can be heard apart; name one (1 to ${channels}), or say mix.`,
    );
  }
  if (Number.isInteger(wish) && wish >= 1 && wish <= channels) return [[wish - 1]];
  const names = channels === 1 ? '1' : `1 to ${channels}`;
  throw new AudioError(
    'invalid_argument',
    `This recording has ${channels === 1 ? 'one channel' : `${channels} channels`}: channels may be auto, mix, each, or ${names}.`,
  );
}

/** What people call a lane: `Channel 2`, and `Channel 1+2` where channels are mixed for it. */
export function laneLabel(lane: readonly number[]): string {
  return `Channel ${lane.map((channel) => channel + 1).join('+')}`;
}

/** Are all channels heard as one? */
export function isMixed(lanes: Lanes, channels: number): boolean {
  return lanes.length === 1 && lanes[0]?.length === channels;
}
