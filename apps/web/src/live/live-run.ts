import type { Level } from '@kikitori/audio';
import {
  type Capture,
  type CaptureState,
  decodeFile,
  keepAwake,
  startCapture,
} from '@kikitori/client/browser';
import { Listening, type ListeningOptions } from './listening.js';

/** Where the browser finds the recorder's two files. */
export interface RecorderFiles {
  readonly workletUrl: string;
  readonly workerUrl: string;
}

/** What a run tells the page. */
export interface RunEvents extends Omit<ListeningOptions, 'token' | 'model'> {
  readonly onLevel: (level: Level) => void;
  readonly onCapture: (state: CaptureState) => void;
}

/** From the first sample to the last word: a microphone, a tab, or a recording, on its way to the server. */
export class LiveRun {
  readonly listening: Listening;
  /** Fires when the run ends, perhaps before there is a capture that could be stopped. */
  readonly #ended = new AbortController();
  #capture: Capture | undefined;
  #release: (() => void) | undefined;

  constructor(options: ListeningOptions) {
    this.listening = new Listening(options);
  }

  get capture(): Capture | undefined {
    return this.#capture;
  }

  /** Takes in what the stream gives, until the run ends. Rejects with `CaptureError`. */
  async record(
    stream: MediaStream,
    files: RecorderFiles,
    events: Pick<RunEvents, 'onLevel' | 'onCapture'>,
  ): Promise<void> {
    const { signal } = this.#ended;
    this.#release = keepAwake();
    try {
      const capture = await startCapture({
        ...files,
        stream,
        signal,
        onAudio: (samples, level) => {
          this.listening.push(samples);
          events.onLevel(level);
        },
        onState: events.onCapture,
      });
      if (signal.aborted) await capture.stop();
      this.#capture = capture;
    } catch (error) {
      // Whoever ended the run goes on with it.
      if (!signal.aborted) throw error;
    }
  }

  /** Lets go of the microphone and waits for the last words. Rejects as the session does. */
  async finish(): Promise<void> {
    await this.#letGo();
    await this.listening.finish();
  }

  /** Ends everything now. */
  async destroy(): Promise<void> {
    this.listening.destroy();
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    this.#ended.abort();
    this.#release?.();
    this.#release = undefined;
    await this.#capture?.stop();
  }
}

/** A recording as mono sound at 16 kHz. Rejects with `CaptureError`; `aborted` as soon as the signal fires. */
export async function openRecording(
  file: Blob,
  { workerUrl }: RecorderFiles,
  signal: AbortSignal,
): Promise<Float32Array> {
  return await decodeFile(file, { workerUrl, signal });
}
