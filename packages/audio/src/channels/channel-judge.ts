import { CHANNELS_JUDGED_MS_MAX } from '../limits.js';
import { type Lanes, mixedLanes } from './channel-wish.js';
import { EnvelopePair } from './envelope-pair.js';
import { FINE_BANDS, type PairFrame, PairSpectrum, SILENCE_DB } from './pair-spectrum.js';

/** So many channels are judged; of others `auto` hears all as one. */
export const JUDGED_CHANNELS = 2;
const CHANNELS = [0, 1] as const;

/** The numbers of the judgement. How they were found: docs/channels.md. */
export const CHANNEL_RULES = {
  /** A channel says something in a second in which it is not below this, dB, … */
  levelDbMin: -75,
  /** … and in which its sound changes, between frames that are not further below its loudest in that second, dB, … */
  loudRangeDb: 15,
  /** … by so much, dB, whatever its loudness does, … */
  changeDbMin: 3,
  /** … in so many of them: noise, a hum or a chord that is held does not. */
  changingMin: 0.15,
  /** A channel is left out in which no second has so many: a single short word in noise has. */
  heardMin: 0.08,
  /** Both say the same in a second in which neither is further below its loudest, dB, … */
  rangeDb: 25,
  /** … and that have so much in common. */
  commonMin: 0.15,
  /** Channels with so many such seconds, of all in which anything is said, are one recording. */
  commonShareMax: 0.25,
  /** So are those whose loudness goes up and down together, at one delay, by more than this … */
  parallelMax: 0.5,
  /** … and this over the root of the seconds heard: in a moment anything may. */
  parallelShort: 0.3,
  /** After so many seconds in which something is said a clear case is settled: … */
  settledSeconds: 30,
  /** … more than that in common, … */
  clearlySame: 0.5,
  /** … or less than that, and from each channel as many, in ten times as many. */
  clearlyApart: 0.02,
} as const;

/** A last second that is not whole counts from so many frames on, an eighth of one. */
const LAST_FRAMES_MIN = 4;

/** One second. Levels in dB within the band of speech. */
interface Second {
  readonly levels: readonly number[];
  /** In how many of its loud frames the sound of each channel is another than before: 0…1. */
  readonly changing: readonly number[];
  /** How much of it both channels have in common: 0…1. */
  readonly common: number;
}

/** Seconds in which something is said. */
interface Said {
  /** By each channel, however quiet it is beside its loudest, and sure to be heard. */
  readonly by: readonly number[];
  readonly byAny: number;
  /** By both, and the same. */
  readonly same: number;
}

/**
 * Finds out whether the two channels of a recording hold different voices. Keeps a few numbers for each second, and none of the
 * sound.
 */
export class ChannelJudge {
  readonly #spectrum: PairSpectrum;
  readonly #envelopes = new EnvelopePair();
  readonly #seconds: Second[] = [];
  readonly #framesPerSecond: number;
  /** How long that is indeed. */
  readonly #secondMs: number;
  /** Of the running second. */
  #frames: PairFrame[] = [];
  #isSettled = false;

  constructor({ sampleRateHz }: { readonly sampleRateHz: number }) {
    this.#spectrum = new PairSpectrum(sampleRateHz);
    this.#framesPerSecond = Math.round(this.#spectrum.framesPerS);
    this.#secondMs = (this.#framesPerSecond * 1000) / this.#spectrum.framesPerS;
  }

  /** Interleaved samples of two channels, whole frames. Nothing is looked at once it is settled. */
  push(interleaved: Float32Array): void {
    if (this.#isSettled) return;
    for (const frame of this.#spectrum.push(interleaved)) {
      this.#envelopes.add(frame.bands);
      this.#frames.push(frame);
      if (this.#frames.length >= this.#framesPerSecond) this.#closeSecond();
    }
  }

  /** More sound would change nothing, or is not looked at any more (`CHANNELS_JUDGED_MS_MAX`). */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /**
   * What is to be heard apart. `isWhole`: the sound was heard to its end. Only then a channel that says nothing is left out: it
   * might speak later.
   */
  lanes({ isWhole }: { readonly isWhole: boolean }): Lanes {
    if (isWhole && this.#frames.length >= LAST_FRAMES_MIN) this.#closeSecond();
    const { by, byAny, same } = this.#said();
    const isOne = same > CHANNEL_RULES.commonShareMax * byAny || this.#isParallel;
    const heard = by.flatMap((seconds, channel) => (seconds > 0 ? [[channel]] : []));
    const isUnsure = heard.length === 0 || (heard.length === 1 && !isWhole);
    return isOne || isUnsure ? mixedLanes(JUDGED_CHANNELS) : heard;
  }

  /** What it judges by, so far: for measurements. */
  get measures(): { readonly share: number; readonly parallel: number; readonly seconds: readonly Second[] } {
    const { byAny, same } = this.#said();
    return {
      share: byAny === 0 ? 0 : same / byAny,
      parallel: this.#envelopes.parallel(),
      seconds: this.#seconds,
    };
  }

  get #isParallel(): boolean {
    const { parallelMax, parallelShort } = CHANNEL_RULES;
    const seconds = Math.max(1, this.#seconds.length);
    return this.#envelopes.parallel() > parallelMax + parallelShort / Math.sqrt(seconds);
  }

  #closeSecond(): void {
    const frames = this.#frames;
    this.#frames = [];
    const levels = CHANNELS.map((channel) => loudLevel(frames, channel));
    this.#seconds.push({
      levels,
      changing: CHANNELS.map((channel) => changingShare(frames, channel, levels[channel] ?? 0)),
      common: this.#spectrum.takeCommon(),
    });
    const count = this.#seconds.length;
    const { settledSeconds } = CHANNEL_RULES;
    this.#isSettled =
      count * this.#secondMs >= CHANNELS_JUDGED_MS_MAX || (count % settledSeconds === 0 && this.#isClear());
  }

  #isClear(): boolean {
    const { settledSeconds, clearlySame, clearlyApart } = CHANNEL_RULES;
    const { by, byAny, same } = this.#said();
    if (byAny < settledSeconds) return false;
    if (same >= clearlySame * byAny) return true;
    const isLong = Math.min(...by) >= settledSeconds && byAny >= 10 * settledSeconds;
    return isLong && same <= clearlyApart * byAny && !this.#isParallel;
  }

  #said(): Said {
    const { rangeDb, levelDbMin, changingMin, heardMin, commonMin } = CHANNEL_RULES;
    const nearDb = CHANNELS.map((channel) => loudest(this.#seconds, channel) - rangeDb);
    const by = [0, 0];
    let byAny = 0;
    let same = 0;
    for (const { levels, changing, common } of this.#seconds) {
      const says = CHANNELS.map((channel) => {
        const level = levels[channel] ?? SILENCE_DB;
        const share = level >= levelDbMin ? (changing[channel] ?? 0) : 0;
        by[channel] = (by[channel] ?? 0) + (share >= heardMin ? 1 : 0);
        return share >= changingMin && level >= (nearDb[channel] ?? 0);
      });
      if (says.includes(true)) byAny += 1;
      if (!says.includes(false) && common >= commonMin) same += 1;
    }
    return { by, byAny, same };
  }
}

function loudest(seconds: readonly Second[], channel: number): number {
  return seconds.reduce((most, { levels }) => Math.max(most, levels[channel] ?? most), SILENCE_DB);
}

/** How loud the louder frames are. */
function loudLevel(frames: readonly PairFrame[], channel: number): number {
  const sorted = frames.map(({ levels }) => levels[channel] ?? SILENCE_DB).sort((a, b) => a - b);
  return sorted[Math.floor(0.9 * (sorted.length - 1))] ?? SILENCE_DB;
}

/** Of the frames that are loud, and follow on one that is: in how many the sound is another, not only its loudness. */
function changingShare(frames: readonly PairFrame[], channel: number, levelDb: number): number {
  const { loudRangeDb, changeDbMin } = CHANNEL_RULES;
  const isLoud = ({ levels }: PairFrame): boolean => (levels[channel] ?? SILENCE_DB) >= levelDb - loudRangeDb;
  let loud = 0;
  let changing = 0;
  for (const [index, frame] of frames.entries()) {
    const before = frames[index - 1];
    if (before === undefined || !isLoud(before) || !isLoud(frame)) continue;
    loud += 1;
    if (changeDb(before, frame, channel) >= changeDbMin) changing += 1;
  }
  return loud === 0 ? 0 : changing / loud;
}

/** How far the parts of the band went from their places among each other, in the mean. */
function changeDb(before: PairFrame, after: PairFrame, channel: number): number {
  const from = channel * FINE_BANDS;
  const changes: number[] = [];
  for (let band = from; band < from + FINE_BANDS; band += 1) {
    changes.push((after.fineBands[band] ?? 0) - (before.fineBands[band] ?? 0));
  }
  const mean = changes.reduce((sum, change) => sum + change, 0) / FINE_BANDS;
  return changes.reduce((sum, change) => sum + Math.abs(change - mean), 0) / FINE_BANDS;
}
