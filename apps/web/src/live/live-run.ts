import type { Level } from '@kikitori/audio';
import type { Session, SessionEvent } from '@kikitori/client';
import { type Capture, type CaptureState, keepAwake, startCapture } from '@kikitori/client/browser';
import { WEB_LIMITS } from './limits.js';
import { Listening, type ListeningOptions } from './listening.js';

/** Where the browser finds the recorder's two files. */
export interface RecorderFiles {
  readonly workletUrl: string;
  readonly workerUrl: string;
}

/** What a run tells the page. */
export interface RunEvents {
  readonly onLevel: (level: Level) => void;
  readonly onCapture: (state: CaptureState) => void;
}

/** What a run needs: as a session, for so many lanes that are heard apart. */
export interface RunOptions extends Omit<ListeningOptions, 'onEvent' | 'onOpen' | 'giveUpAfterMs'> {
  readonly laneCount: number;
  readonly onEvent: (event: SessionEvent, session: Session, lane: number) => void;
  /** A connection was opened: the first one of a lane, or one more. */
  readonly onOpen: (lane: number) => void;
}

/** From the first sample to the last word: a microphone, a tab, or a recording, on its way to the server. */
export class LiveRun {
  readonly #lanes: readonly Listening[];
  /** Fires when the run ends, perhaps before there is a capture that could be stopped. */
  readonly #ended = new AbortController();
  #capture: Capture | undefined;
  #release: (() => void) | undefined;

  constructor({ laneCount, onEvent, onOpen, ...options }: RunOptions) {
    this.#lanes = Array.from(
      { length: laneCount },
      (_, lane) =>
        new Listening({
          ...options,
          giveUpAfterMs: lane === 0 ? WEB_LIMITS.giveUpAfterMs : WEB_LIMITS.laneGiveUpAfterMs,
          onEvent: (event, session) => onEvent(event, session, lane),
          onOpen: () => onOpen(lane),
        }),
    );
  }

  /** Sound that came in so far: of the lane that is furthest. */
  get heardMs(): number {
    return Math.max(...this.#lanes.map(({ heardMs }) => heardMs));
  }

  /** See `Listening.positionMs`. */
  positionMs(nowMs: number): number {
    return Math.max(...this.#lanes.map((lane) => lane.positionMs(nowMs)));
  }

  /**
   * A whole recording, each lane of it over a session of its own. A lane that is read gives its place back: another one may wait for
   * it. Rejects as the sessions do.
   */
  async read(
    lanes: readonly Float32Array[],
    rate: 'realtime' | 'max',
    onProgress: () => void,
  ): Promise<void> {
    const read = async (listening: Listening, samples: Float32Array = new Float32Array(0)): Promise<void> => {
      await listening.read(samples, rate, onProgress);
      if (lanes.length > 1) await listening.finish();
    };
    await Promise.all(this.#lanes.map((listening, index) => read(listening, lanes[index])));
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
          this.#lanes[0]?.push(samples);
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
    await Promise.all(this.#lanes.map((lane) => lane.finish()));
  }

  /** Ends everything now. */
  async destroy(): Promise<void> {
    for (const lane of this.#lanes) lane.destroy();
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    this.#ended.abort();
    this.#release?.();
    this.#release = undefined;
    await this.#capture?.stop();
  }
}
