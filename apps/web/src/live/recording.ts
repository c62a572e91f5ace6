import { ChannelJudge, JUDGED_CHANNELS, type Lanes, mixedLanes } from '@kikitori/audio/channels';
import { type DecodedRecording, decodeLanes } from '@kikitori/client/browser';
import { WEB_LIMITS } from './limits.js';
import type { RecorderFiles } from './live-run.js';

/** A recording as sound at 16 kHz: of all channels, or of each apart where two hold different voices. */
export interface Recording {
  readonly lanes: readonly Float32Array[];
  readonly lengthMs: number;
}

/** Rejects with `CaptureError`; `aborted` as soon as the signal fires. */
export async function openRecording(
  file: Blob,
  { workerUrl }: RecorderFiles,
  signal: AbortSignal,
): Promise<Recording> {
  const lanesOf = (recording: DecodedRecording): Promise<Lanes> => judgedLanes(recording, signal);
  const lanes = await decodeLanes(file, { workerUrl, signal, lanesOf });
  return { lanes, lengthMs: (lanes[0]?.length ?? 0) / 16 };
}

/** Looks at the channels a piece at a time: the page goes on meanwhile. */
async function judgedLanes(
  { length, sampleRate, numberOfChannels, getChannel }: DecodedRecording,
  signal: AbortSignal,
): Promise<Lanes> {
  if (numberOfChannels !== JUDGED_CHANNELS) return mixedLanes(numberOfChannels);
  const judge = new ChannelJudge({ sampleRateHz: sampleRate });
  const [first, second] = [getChannel(0), getChannel(1)];
  for (let from = 0; from < length && !judge.isSettled && !signal.aborted; from += WEB_LIMITS.judgedFrames) {
    const pair = new Float32Array(2 * Math.min(WEB_LIMITS.judgedFrames, length - from));
    for (let at = 0; at < pair.length; at += 2) {
      pair[at] = first[from + at / 2] ?? 0;
      pair[at + 1] = second[from + at / 2] ?? 0;
    }
    judge.push(pair);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return judge.lanes({ isWhole: !judge.isSettled });
}
