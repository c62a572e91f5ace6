import type { Session, SessionEvent } from '@kikitori/client';
import { CaptureError, type CaptureState } from '@kikitori/client/browser';
import { Conversation, type SpokenRecord } from './conversation.js';
import type { Credentials } from './credentials.js';
import { isKeyRefused, sentenceFor } from './failure-wording.js';
import type { KeyDialog } from './key-dialog.js';
import type { LagView } from './lag-view.js';
import type { LevelView } from './level-view.js';
import { WEB_LIMITS } from './limits.js';
import { LiveRun, type RecorderFiles } from './live-run.js';
import type { Notice } from './notice.js';
import type { Playback } from './playback.js';
import type { RecordKeeper } from './record-keeper.js';
import { openRecording } from './recording.js';
import { newId } from './session-id.js';
import type { ShareControl } from './share-control.js';
import type { SourcePicker } from './source-picker.js';
import type { PageState, Phase } from './state-line.js';
import type { TranscriptView } from './transcript-view.js';

/** The parts of the page. */
export interface LiveParts {
  readonly files: RecorderFiles;
  readonly credentials: Credentials;
  readonly keyDialog: KeyDialog;
  readonly picker: SourcePicker;
  readonly keeper: RecordKeeper;
  readonly share: ShareControl;
  readonly notice: Notice;
  readonly transcript: TranscriptView;
  readonly lag: LagView;
  readonly level: LevelView;
  readonly playback: Playback;
  readonly model: () => string;
  /** What a channel is called, by its number from 1 on. */
  readonly channel: (n: number) => string;
  /** The languages that the model hears, in words. */
  readonly languages: () => string;
  /** Something that is drawn has changed. */
  readonly onState: () => void;
}

/** What to do again after a failure. */
type Task = () => Promise<void>;

/** The live page without its looks: what is pressed, and what follows. */
export class LivePage {
  readonly #parts: LiveParts;
  #phase: Phase = 'idle';
  #capture: CaptureState = 'starting';
  #line: PageState['line'] = 'connecting';
  #run: LiveRun | undefined;
  #conversation: Conversation | undefined;
  #record: SpokenRecord | undefined;
  #name = '';
  #progress = 0;
  /** It was told that this does not sound like what the model hears; once for each run of such utterances. */
  #isDoubtTold = false;
  #decoding: AbortController | undefined;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  get state(): PageState {
    return {
      phase: this.#phase,
      capture: this.#capture,
      line: this.#line,
      isMuted:
        this.#phase === 'reading' ? this.#parts.playback.isMuted : (this.#run?.capture?.isMuted ?? false),
      keptMs: Math.max(0, (this.#run?.heardMs ?? 0) - (this.#conversation?.settledMs ?? 0)),
      name: this.#name,
    };
  }

  /** What is shown, to be copied or exported at any moment. */
  get record(): SpokenRecord | undefined {
    return this.#conversation?.record() ?? this.#record;
  }

  get isBusy(): boolean {
    return this.#phase !== 'idle' && this.#phase !== 'done';
  }

  /** 0…1 of a recording. */
  get progress(): number {
    return this.#progress;
  }

  /** The one button. */
  async toggle(): Promise<void> {
    if (this.#phase === 'decoding') this.#decoding?.abort();
    else if (this.#phase === 'recording' || this.#phase === 'reading') await this.#stop();
    else if (!this.isBusy) await this.#startRecording();
  }

  /** There is something that can be muted: what is spoken, or what is played. */
  get canMute(): boolean {
    return this.#phase === 'recording' || (this.#phase === 'reading' && this.#parts.playback.isPlaying);
  }

  mute(): void {
    const { playback } = this.#parts;
    if (this.#phase === 'reading') playback.isMuted = !playback.isMuted;
    const capture = this.#run?.capture;
    if (capture !== undefined) capture.isMuted = !capture.isMuted;
    this.#parts.onState();
  }

  /** Any gesture may wake what the browser has put to sleep. */
  async wake(): Promise<void> {
    if (this.#capture === 'suspended') await this.#run?.capture?.resume();
  }

  /** Shows what was kept. While something is being said, nothing happens. */
  show(record: SpokenRecord | undefined): void {
    if (this.isBusy) return;
    this.#conversation = undefined;
    this.#record = record;
    this.#parts.transcript.show(record);
    this.#become('idle');
  }

  /** Every `lagEveryMs`: how far the words are behind what is spoken. */
  tick(): void {
    const { lag } = this.#parts;
    const run = this.#run;
    const settledMs = this.#conversation?.settledMs ?? 0;
    if (run === undefined || (this.#phase !== 'recording' && this.#phase !== 'reading')) return;
    const positionMs = run.positionMs(performance.now());
    lag.add(settledMs > 0 ? Math.max(0, positionMs - settledMs) : undefined);
    this.#parts.onState();
  }

  /** A recording, at the pace of speech or as fast as the server takes it. */
  async read(file: Blob, name: string, rate: 'realtime' | 'max'): Promise<void> {
    if (this.isBusy || !(await this.#parts.keyDialog.hasKey())) return;
    this.#parts.notice.clear();
    this.#name = name;
    this.#progress = 0;
    this.#become('decoding');
    try {
      this.#decoding = new AbortController();
      const { lanes, lengthMs } = await openRecording(file, this.#parts.files, this.#decoding.signal);
      const run = this.#begin(name, () => this.read(file, name, rate), lanes.length);
      if (rate === 'realtime') this.#parts.playback.play(file);
      this.#become('reading');
      await run.read(lanes, rate, () => {
        const doneMs = rate === 'max' ? (this.#conversation?.settledMs ?? 0) : run.heardMs;
        this.#progress = Math.min(1, doneMs / lengthMs);
      });
      // Unless somebody has stopped it already.
      if (this.#run === run && this.#phase === 'reading') await this.#stop();
    } catch (error) {
      await this.#fail(error, () => this.read(file, name, rate));
    }
  }

  async #startRecording(): Promise<void> {
    if (!(await this.#parts.keyDialog.hasKey())) return;
    this.#parts.notice.clear();
    this.#become('asking');
    const again: Task = () => this.#startRecording();
    try {
      const stream = await this.#parts.picker.open();
      this.#capture = 'starting';
      const run = this.#begin(this.#parts.picker.label, again);
      this.#become('recording');
      await run.record(stream, this.#parts.files, {
        onLevel: ({ rmsDbfs }) => this.#parts.level.add(rmsDbfs),
        onCapture: (state) => this.#onCapture(state),
      });
    } catch (error) {
      await this.#fail(error, again);
    }
  }

  /** A new session: what was shown before stays among the kept ones. */
  #begin(name: string, again: Task, laneCount = 1): LiveRun {
    const { credentials, keeper, share, transcript, lag, level, model, channel } = this.#parts;
    const labels = Array.from({ length: laneCount === 1 ? 0 : laneCount }, (_, index) => channel(index + 1));
    const about = { id: newId(), startedAtMs: Date.now(), name, model: model() };
    const conversation = new Conversation({ ...about, labels });
    this.#conversation = conversation;
    this.#record = undefined;
    this.#line = 'connecting';
    this.#isDoubtTold = false;
    keeper.follow(conversation);
    share.follow(conversation);
    transcript.follow(conversation);
    lag.reset();
    level.reset();
    const opened = new Set<number>();
    const run = new LiveRun({
      laneCount,
      token: () => credentials.token(),
      model: '',
      // After a break the line is good once the session has gone on over it.
      onOpen: (lane) => {
        if (this.#line === 'connecting') this.#setLine('open');
        if (opened.size === 0) this.#tellWaiting(run, opened, laneCount);
        opened.add(lane);
      },
      onEvent: (event, session, lane) => this.#onEvent(conversation, event, session, lane),
      onFailure: (error) => void this.#fail(error, again),
    });
    this.#run = run;
    return run;
  }

  /** Each channel takes a place of the server: where it has one, they are heard one after the other. */
  #tellWaiting(run: LiveRun, opened: ReadonlySet<number>, laneCount: number): void {
    if (laneCount === 1) return;
    setTimeout(() => {
      if (this.#run === run && opened.size < laneCount) this.#parts.notice.show('laneWaits');
    }, WEB_LIMITS.laneToldAfterMs);
  }

  #onEvent(conversation: Conversation, event: SessionEvent, session: Session, lane: number): void {
    if (event.type === 'disconnect') this.#setLine('away');
    if (event.type === 'reconnect') this.#setLine('open');
    const change = conversation.add(event, () => session.transcript, lane);
    if (change === 'none') return;
    this.#tellDoubt(conversation);
    this.#parts.transcript.update();
    this.#parts.share.update();
    this.#parts.keeper.note({ isUrgent: change !== 'words' });
    this.#parts.onState();
  }

  #tellDoubt({ isUnsure }: Conversation): void {
    const { notice, languages } = this.#parts;
    if (isUnsure && !this.#isDoubtTold) notice.show('unsure', undefined, { languages: languages() });
    this.#isDoubtTold = isUnsure;
  }

  #onCapture(state: CaptureState): void {
    this.#capture = state;
    this.#parts.onState();
    if (state === 'lost' && this.#phase === 'recording') void this.#onLost();
  }

  /** The microphone is gone: what was said is written to its end. */
  async #onLost(): Promise<void> {
    await this.#stop();
    this.#parts.notice.show('errorLost', () => void this.#startRecording());
  }

  async #stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#parts.playback.stop();
    this.#become('finishing');
    try {
      await run.finish();
      if (this.#run === run) await this.#end('done');
    } catch (error) {
      await this.#fail(error, undefined);
    }
  }

  async #fail(error: unknown, again: Task | undefined): Promise<void> {
    if (this.#phase === 'idle' || this.#phase === 'done') return;
    const run = this.#run;
    this.#run = undefined;
    await run?.destroy();
    await this.#end('idle');
    // Who has stopped it knows.
    if (error instanceof CaptureError && error.code === 'aborted') return;
    if (isKeyRefused(error)) {
      if (await this.#parts.keyDialog.ask({ isWrong: true })) await again?.();
      return;
    }
    const { key, isMendable } = sentenceFor(error);
    this.#parts.notice.show(key, isMendable && again !== undefined ? () => void again() : undefined);
  }

  async #end(phase: 'idle' | 'done'): Promise<void> {
    this.#run = undefined;
    this.#parts.playback.stop();
    this.#become(phase);
    this.#parts.transcript.flush();
    this.#parts.share.update();
    this.#parts.level.reset();
    await this.#parts.keeper.save();
  }

  #setLine(line: PageState['line']): void {
    this.#line = line;
    this.#parts.onState();
  }

  #become(phase: Phase): void {
    this.#phase = phase;
    this.#parts.onState();
  }
}
