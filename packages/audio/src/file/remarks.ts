import type { SpeechStream } from './speech-stream.js';

/** Where a stream is cut in the middle of a frame, less than this is left of it. */
const JUNK_TOLD_BYTES = 2_048;

/** What people should know about a recording, in sentences; all of it when its stream `hasEnded`. `junkBytes`: what stands before it. */
export function remarksOn(
  { tracks, isDamaged, leftOutBytes }: SpeechStream,
  junkBytes: number,
  hasEnded: boolean,
): string[] {
  const remarks: string[] = [];
  if (junkBytes >= JUNK_TOLD_BYTES) {
    remarks.push(
      `The first ${junkBytes} bytes were left out: they cannot be read without what came before them, or are something else.`,
    );
  }
  if (tracks !== undefined && tracks.count > 1) {
    remarks.push(
      `The file has ${tracks.count} audio tracks: number ${tracks.chosen + 1} is heard, the first that is marked as default, else the first of all.`,
    );
  }
  if (!hasEnded) return remarks;
  const bytes = leftOutBytes();
  if (bytes > 0) {
    remarks.push(
      `Behind its sound the file has ${bytes} bytes that are no sound of its format: they were left out.`,
    );
  }
  if (isDamaged()) remarks.push('The file is damaged: what could be read of it was transcribed.');
  return remarks;
}
