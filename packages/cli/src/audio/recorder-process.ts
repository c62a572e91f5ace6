/**
 * The child process that holds the microphone. The native recorder blocks its thread while it waits for sound, and
 * the sound library below it writes to stderr as it likes: both stay out of the command's process.
 *
 *   recorder-process.js list            names of the devices as a JSON array on stdout
 *   recorder-process.js record INDEX    PCM16, 16 kHz, mono on stdout until stdin ends; INDEX −1 is the default
 *
 * Exit codes: 0 done, 3 no such device or none at all, 4 the recorder does not run on this system.
 */
import { once } from 'node:events';

const FRAME_SAMPLES = 1_280;
/** Four seconds: what may wait while the reader is busy. At the bound the oldest sound is lost. */
const FRAMES_BUFFERED = 50;
/** Tries to read a first sound, of up to a second each. Then: 3. Whoever started this process mostly gives up earlier. */
const FIRST_READS_MAX = 10;

async function main(mode: string | undefined, device: number): Promise<number> {
  let library: typeof import('@picovoice/pvrecorder-node');
  try {
    library = await import('@picovoice/pvrecorder-node');
  } catch {
    return 4;
  }
  if (mode === 'list') {
    process.stdout.write(JSON.stringify(library.PvRecorder.getAvailableDevices()));
    return 0;
  }
  try {
    await record(new library.PvRecorder(FRAME_SAMPLES, device, FRAMES_BUFFERED));
    return 0;
  } catch {
    return 3;
  }
}

interface Recorder {
  start(): void;
  stop(): void;
  release(): void;
  read(): Promise<Int16Array>;
}

async function record(recorder: Recorder): Promise<void> {
  // Ctrl-C reaches the whole group of processes; the parent decides when the recording ends.
  process.on('SIGINT', () => undefined);
  let isWanted = true;
  process.stdin.resume().once('end', () => {
    isWanted = false;
  });
  process.stdout.once('error', () => {
    isWanted = false;
  });
  recorder.start();
  let readsLeft = FIRST_READS_MAX;
  try {
    while (isWanted) {
      let samples: Int16Array;
      try {
        samples = await recorder.read();
      } catch (error) {
        // The library gives a device one second, and some wake more slowly (Bluetooth). Once there was sound, a second
        // without any is a device that is gone.
        readsLeft -= 1;
        if (readsLeft <= 0) throw error;
        continue;
      }
      readsLeft = 0;
      const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
      if (!process.stdout.write(bytes) && isWanted) await once(process.stdout, 'drain');
    }
  } finally {
    recorder.stop();
    recorder.release();
  }
}

process.exitCode = await main(process.argv[2], Number(process.argv[3] ?? '-1'));
process.stdin.destroy();
