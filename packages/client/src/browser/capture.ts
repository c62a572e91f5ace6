import { LEVEL_DBFS_MIN, type Level } from '@kikitori/audio';
import { abortable } from './abortable.js';
import { CaptureError } from './errors.js';
import { CAPTURE_LIMITS } from './limits.js';
import type { WorkerAudio, WorkerRequest, WorkletStart } from './worker-messages.js';

/**
 * - `starting`: no sample has come yet: what is said now may be lost.
 * - `live`: samples come.
 * - `silent`: samples come, all of them exactly 0: a switch on the device, or a driver that sleeps.
 * - `suspended`: the browser holds the sound back (a call came in, a gesture is wanted); `resume` may help.
 * - `lost`: the device is gone, gave no sample for ten seconds, or the user ended the sharing. Nothing comes any more.
 * - `stopped`: by `stop`.
 */
export type CaptureState = 'starting' | 'live' | 'silent' | 'suspended' | 'lost' | 'stopped';

/** What a capture is made of. */
export interface CaptureOptions {
  /** A microphone, a tab, or anything else with an audio track. Its tracks are stopped with the capture. */
  readonly stream: MediaStream;
  /** Where `dist/browser/capture-worklet.js` of this package is served. A file, so that a strict policy holds. */
  readonly workletUrl: string | URL;
  /** Where `dist/browser/capture-worker.js` is served, bundled. */
  readonly workerUrl: string | URL;
  /** Mono samples at 16 kHz, about every 20 ms; they are the caller's. `level` is that of the source. */
  readonly onAudio: (samples: Float32Array<ArrayBuffer>, level: Level) => void;
  readonly onState?: (state: CaptureState) => void;
  /** Lets go of the stream at once while the capture has not begun yet; from then on it is `stop` that ends it. */
  readonly signal?: AbortSignal;
}

/** Sound that is being taken in. */
export interface Capture {
  readonly state: CaptureState;
  /** The device's own rate: what was resampled from. */
  readonly sampleRateHz: number;
  /** True: silence is heard in place of the source, and time goes on. */
  isMuted: boolean;
  /** Asks the browser to let the sound through again; from a click or a key press it may. */
  resume(): Promise<void>;
  /** Lets go of the device and of everything else. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Begins to take in sound at the device's own rate. Rejects with `CaptureError` `load_failed`, `no_audio`,
 * `unsupported` or `aborted`; a stream with sound is stopped then.
 */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { stream, workletUrl, signal } = options;
  if (stream.getAudioTracks().length === 0) {
    throw new CaptureError('no_audio', 'The stream carries no sound.');
  }
  if (typeof AudioContext !== 'function' || typeof AudioWorkletNode !== 'function') {
    throw new CaptureError('unsupported', 'This browser has no audio worklets.');
  }
  const { context, source } = await openContext(stream);
  try {
    await abortable(context.audioWorklet.addModule(workletUrl), signal);
    return new StreamCapture(context, source, options);
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    await context.close();
    if (error instanceof CaptureError) throw error;
    throw new CaptureError('load_failed', 'The recorder could not be loaded from the server.', error);
  }
}

interface OpenContext {
  readonly context: AudioContext;
  readonly source: MediaStreamAudioSourceNode;
}

/**
 * At the rate that the device tells, or else at the browser's own: Firefox refuses to connect a stream to a context of
 * another rate than the one that it runs the stream at, which need not be the device's.
 */
async function openContext(stream: MediaStream): Promise<OpenContext> {
  const audio = new MediaStream(stream.getAudioTracks());
  const sampleRate = audio.getAudioTracks()[0]?.getSettings().sampleRate;
  for (const rate of [...(sampleRate === undefined ? [] : [{ sampleRate }]), {}]) {
    let context: AudioContext | undefined;
    try {
      context = new AudioContext({ latencyHint: 'interactive', ...rate });
      return { context, source: context.createMediaStreamSource(audio) };
    } catch {
      await context?.close();
    }
  }
  for (const track of stream.getTracks()) track.stop();
  throw new CaptureError('unsupported', 'This browser cannot take in that sound.');
}

class StreamCapture implements Capture {
  readonly sampleRateHz: number;
  readonly #context: AudioContext;
  readonly #stream: MediaStream;
  readonly #source: MediaStreamAudioSourceNode;
  readonly #node: AudioWorkletNode;
  readonly #worker: Worker;
  readonly #onAudio: CaptureOptions['onAudio'];
  readonly #onState: CaptureOptions['onState'];
  readonly #listeners = new AbortController();
  #state: CaptureState = 'starting';
  #zerosMs = 0;
  #isMuted = false;
  #flowTimer: ReturnType<typeof setTimeout> | undefined;
  /** Samples have come since the timer was started. */
  #hasFlowed = false;

  constructor(
    context: AudioContext,
    source: MediaStreamAudioSourceNode,
    { stream, workerUrl, onAudio, onState }: CaptureOptions,
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#onAudio = onAudio;
    this.#onState = onState;
    this.sampleRateHz = context.sampleRate;
    this.#worker = new Worker(workerUrl, { type: 'module' });
    this.#source = source;
    this.#node = new AudioWorkletNode(context, 'kikitori-recorder', {
      numberOfOutputs: 0,
      channelCount: CAPTURE_LIMITS.channels,
      channelCountMode: 'explicit',
    });
    this.#connect();
    this.#listen();
  }

  get state(): CaptureState {
    return this.#state;
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  set isMuted(isMuted: boolean) {
    this.#isMuted = isMuted;
    for (const track of this.#stream.getAudioTracks()) track.enabled = !isMuted;
  }

  async resume(): Promise<void> {
    if (this.#isOver()) return;
    // Some browsers never settle it without a gesture, and tell the state instead.
    await this.#context.resume().catch(() => undefined);
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#release();
    this.#become('stopped');
    if (this.#context.state !== 'closed') await this.#context.close();
  }

  /** Worklet → worker, past the page: a busy page delays no sample. */
  #connect(): void {
    const { port1, port2 } = new MessageChannel();
    const listen: WorkerRequest = { type: 'listen', port: port1, sampleRateHz: this.sampleRateHz };
    const start: WorkletStart = { port: port2 };
    this.#worker.postMessage(listen, [port1]);
    this.#node.port.postMessage(start, [port2]);
    this.#source.connect(this.#node);
  }

  #listen(): void {
    const { signal } = this.#listeners;
    this.#worker.addEventListener('message', this.#onMessage, { signal });
    this.#worker.addEventListener('error', () => this.#lose(), { signal });
    this.#node.addEventListener('processorerror', () => this.#lose(), { signal });
    this.#context.addEventListener('statechange', () => this.#onContextState(), { signal });
    // A phone that was locked, or whose call is over: seen again, the page may go on.
    document.addEventListener('visibilitychange', () => this.#onSeen(), { signal });
    this.#awaitFlow();
    for (const track of this.#stream.getTracks()) {
      // A tab that is shared ends with its picture, too.
      track.addEventListener('ended', () => this.#lose(), { signal });
      // Taken away while the recorder was loaded: no event comes any more, and silence without end.
      if (track.readyState === 'ended') this.#lose();
    }
    this.#onContextState();
  }

  /**
   * A device that is open and gives nothing is as good as gone. Looked at in whole turns, so that the turn in which a
   * computer slept counts for nothing: there were samples in it.
   */
  #awaitFlow(): void {
    clearTimeout(this.#flowTimer);
    this.#hasFlowed = false;
    this.#flowTimer = setTimeout(() => {
      if (this.#hasFlowed) this.#awaitFlow();
      else this.#lose();
    }, CAPTURE_LIMITS.flowTimeoutMs);
  }

  readonly #onMessage = ({ data }: MessageEvent<WorkerAudio>): void => {
    if (this.#isOver()) return;
    this.#hasFlowed = true;
    // What was on its way when the browser stopped the sound is heard; it does not mean that sound flows again.
    if (this.#state !== 'suspended') this.#noteSilence(data);
    this.#onAudio(data.samples, data.level);
  };

  #noteSilence({ samples, level }: WorkerAudio): void {
    const isZero = level.peakDbfs <= LEVEL_DBFS_MIN;
    this.#zerosMs = isZero && !this.#isMuted ? this.#zerosMs + samples.length / 16 : 0;
    this.#become(this.#zerosMs >= CAPTURE_LIMITS.silentAfterMs ? 'silent' : 'live');
  }

  #onContextState(): void {
    if (this.#isOver()) return;
    // `interrupted` is WebKit's, and not in the types.
    const state: string = this.#context.state;
    if (state === 'suspended' || state === 'interrupted') {
      clearTimeout(this.#flowTimer);
      this.#become('suspended');
      // Behind a call WebKit leaves it at that, though it lets a page that records go on.
      if (state === 'suspended') void this.resume();
    } else if (state === 'running' && this.#state === 'suspended') {
      this.#awaitFlow();
      this.#become('starting');
    }
  }

  #onSeen(): void {
    // Not while it is interrupted: asked too early, WebKit says `running` and its clock stands still.
    if (document.visibilityState === 'visible' && this.#context.state === 'suspended') void this.resume();
  }

  #lose(): void {
    if (this.#isOver()) return;
    this.#release();
    this.#become('lost');
    // Its failure changes nothing: nobody listens to it any more.
    this.#context.close().catch(() => undefined);
  }

  #release(): void {
    clearTimeout(this.#flowTimer);
    this.#listeners.abort();
    for (const track of this.#stream.getTracks()) track.stop();
    this.#source.disconnect();
    this.#node.port.close();
    this.#worker.terminate();
  }

  #isOver(): boolean {
    return this.#state === 'lost' || this.#state === 'stopped';
  }

  #become(state: CaptureState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState?.(state);
  }
}
