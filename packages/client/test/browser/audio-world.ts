/**
 * What a browser has for sound, decided by the test: states that a real one cannot be brought into from here (a call
 * that comes in, a device that gives nothing, a Firefox that refuses a rate). Real sound is in test/browser.
 */
import { vi } from 'vitest';
import type { WorkerAudio } from '../../src/browser/worker-messages.js';

/** A track that can be ended by the system. */
export class FakeTrack extends EventTarget {
  readonly kind: 'audio' | 'video';
  enabled = true;
  readyState: 'live' | 'ended' = 'live';
  readonly #sampleRate: number | undefined;

  constructor(kind: 'audio' | 'video' = 'audio', sampleRate?: number) {
    super();
    this.kind = kind;
    this.#sampleRate = sampleRate;
  }

  getSettings(): { sampleRate?: number } {
    return this.#sampleRate === undefined ? {} : { sampleRate: this.#sampleRate };
  }

  stop(): void {
    this.readyState = 'ended';
  }

  /** Unplugged, or the user ended the sharing. */
  vanish(): void {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }
}

class FakeStream {
  readonly #tracks: readonly FakeTrack[];

  constructor(tracks: readonly FakeTrack[] = []) {
    this.#tracks = tracks;
  }

  getTracks(): readonly FakeTrack[] {
    return this.#tracks;
  }

  getAudioTracks(): readonly FakeTrack[] {
    return this.#tracks.filter(({ kind }) => kind === 'audio');
  }
}

/** How the browser is. */
export interface AudioWorldOptions {
  /** The only rate at which it connects a stream, as in Firefox. */
  readonly onlyRateHz?: number;
  readonly isWorkletMissing?: boolean;
  /** The recorder is loaded when this is settled. */
  readonly worklet?: Promise<void>;
}

/** The globals of a browser; `leave` takes them away. */
export class AudioWorld {
  readonly contexts: FakeContext[] = [];
  readonly workers: FakeWorker[] = [];
  readonly nodes: FakeNode[] = [];
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  readonly options: AudioWorldOptions;

  constructor(options: AudioWorldOptions = {}) {
    this.options = options;
    const world = this;
    vi.stubGlobal('document', this.document);
    vi.stubGlobal('MediaStream', FakeStream);
    vi.stubGlobal(
      'AudioContext',
      class extends FakeContext {
        constructor(init: { readonly sampleRate?: number }) {
          super(init, world);
        }
      },
    );
    vi.stubGlobal(
      'AudioWorkletNode',
      class extends FakeNode {
        constructor() {
          super();
          world.nodes.push(this);
        }
      },
    );
    vi.stubGlobal(
      'Worker',
      class extends FakeWorker {
        constructor() {
          super();
          world.workers.push(this);
        }
      },
    );
  }

  /** As the DOM's type: what is used of it is there. */
  stream(...tracks: readonly FakeTrack[]): MediaStream {
    // A stand-in for the DOM's own type, which cannot be built outside of a browser.
    return new FakeStream(tracks) as unknown as MediaStream;
  }

  get context(): FakeContext {
    return this.#last(this.contexts);
  }

  get worker(): FakeWorker {
    return this.#last(this.workers);
  }

  leave(): void {
    vi.unstubAllGlobals();
  }

  #last<T>(made: readonly T[]): T {
    const last = made.at(-1);
    if (last === undefined) throw new Error('Nothing was made yet.');
    return last;
  }
}

class FakeContext extends EventTarget {
  state = 'running';
  readonly sampleRate: number;
  resumed = 0;
  readonly #world: AudioWorld;

  constructor({ sampleRate = 48_000 }: { readonly sampleRate?: number }, world: AudioWorld) {
    super();
    this.sampleRate = sampleRate;
    this.#world = world;
    world.contexts.push(this);
  }

  readonly audioWorklet = {
    addModule: async (): Promise<void> => {
      if (this.#world.options.isWorkletMissing === true) throw new Error('404');
      await this.#world.options.worklet;
    },
  };

  createMediaStreamSource(): { connect: () => void; disconnect: () => void } {
    const { onlyRateHz } = this.#world.options;
    if (onlyRateHz !== undefined && this.sampleRate !== onlyRateHz) throw new Error('different sample-rate');
    return { connect: () => undefined, disconnect: () => undefined };
  }

  async resume(): Promise<void> {
    this.resumed += 1;
  }

  async close(): Promise<void> {
    this.state = 'closed';
  }

  become(state: string): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

class FakeNode extends EventTarget {
  readonly port = new MessageChannel().port1;
}

class FakeWorker extends EventTarget {
  isTerminated = false;
  onmessage: ((event: { data: WorkerAudio }) => void) | undefined;
  onerror: (() => void) | undefined;
  readonly asked: unknown[] = [];

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    this.asked.push(message);
    for (const each of transfer) if (each instanceof MessagePort) each.close();
  }

  terminate(): void {
    this.isTerminated = true;
  }

  /** Twenty milliseconds of sound came. */
  say(peakDbfs: number): void {
    const data: WorkerAudio = {
      samples: new Float32Array(320).fill(0.5),
      level: { peakDbfs, rmsDbfs: peakDbfs },
    };
    this.dispatchEvent(new MessageEvent('message', { data }));
  }
}
