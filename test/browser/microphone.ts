/** A WAV as the microphone of a browser. */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeWav, resample } from '@kikitori/audio';
import { decodeFile } from '@kikitori/audio/file';

const samplesDir = join(dirname(fileURLToPath(import.meta.url)), '../../samples');
const RATE_HZ = 48_000;

/** Samples of speech, one after the other, at 16 kHz. */
export async function speech(...names: readonly string[]): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (const name of names) {
    for await (const part of await decodeFile(join(samplesDir, name))) parts.push(part);
  }
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}

/** Chromium plays the file from when the microphone is opened; on a busy machine the recorder is there seconds later. */
const LEAD_SAMPLES = 16_000 * 3;

/** Writes it as the file that Chromium plays for a microphone: once, then a minute of silence. */
export async function writeMicrophone(path: string, samples: Float32Array): Promise<void> {
  const padded = new Float32Array(LEAD_SAMPLES + samples.length + 16_000 * 60);
  // Not quite nothing: the page takes that for a microphone that is switched off.
  for (let at = 0; at < LEAD_SAMPLES; at += 1) padded[at] = at % 16 < 8 ? 0.000_5 : -0.000_5;
  padded.set(samples, LEAD_SAMPLES);
  const wav = encodeWav(resample(padded, { inputRateHz: 16_000, outputRateHz: RATE_HZ }), {
    sampleRateHz: RATE_HZ,
  });
  await writeFile(path, wav);
}

/** Flags of a browser that hears that file and is allowed to. */
export function microphoneFlags(path: string): readonly string[] {
  return [
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${path}%noloop`,
  ];
}
