export { CHANNEL_RULES, ChannelJudge, JUDGED_CHANNELS } from './channel-judge.js';
export {
  type ChannelWish,
  isMixed,
  type Lanes,
  laneLabel,
  lanesOfWish,
  mixedLanes,
  parseChannelWish,
} from './channel-wish.js';
export { LaneConverter, type LaneConverterOptions, laneOf } from './lane-converter.js';
