/**
 * The thinking of one stream, without threads or clocks: audio and speech probabilities in, decode plans out; decode
 * results in, hypotheses out. Whoever drives it decides when a job runs and where.
 *
 * A window of audio lies over the stretch of speech that is being said. It is decoded again and again while it
 * grows; words are committed once they are safely behind the newest audio, and are forced from then on, so that a
 * decode only adds. At a pause everything is committed and the window is left; a window that grows too long without
 * a pause is trimmed behind committed words. So the work per second of audio is bounded whatever the speaker does.
 */
import type { DecodeRequest, DecodeResult, Vocabulary } from '../decoder.js';
import type { Hypothesis } from '../engine.js';
import { AudioBuffer } from './audio-buffer.js';
import { Coverage } from './coverage.js';
import type { DoubtRule } from './doubt.js';
import { loudEnough } from './loudness.js';
import { OpenUtterance } from './open-utterance.js';
import type { StreamPolicy } from './policy.js';
import { isUnclearRepetition } from './repetition.js';
import { type SpeechStretch, SpeechTimeline } from './speech-timeline.js';
import { inSilence, missingSilence, type Surroundings, withoutSilence } from './surroundings.js';
import { behind, type PlacedWord, placeStarts, Window } from './window.js';

const SAMPLES_PER_MS = 16;
/** Audio between two reports on silence. */
const PROGRESS_MS = 500;

/** What is worth decoding now for a stream; it has at most one decode under way. */
export interface DecodePlan {
  /**
   * `cut`: the speech has ended, all of it is wanted. `pause`: it may have. `hush`: it may be about to. `live`: the
   * speaker goes on. The first two are what people wait for.
   */
  readonly kind: 'live' | 'hush' | 'pause' | 'cut';
  /** Sample number behind the last sample to decode. */
  readonly edge: number;
  /** End of the last speech before `edge`. */
  readonly speechEnd: number;
}

export interface RecogniserOptions {
  readonly policy: StreamPolicy;
  readonly vocabulary: Vocabulary;
  /** `live` decodes while the speaker speaks; `batch` waits for whole stretches. */
  readonly mode: 'live' | 'batch';
  readonly partials: boolean;
  readonly onsets: boolean;
  /** More speakers speak than there are cores for: windows are kept short. Default never. */
  readonly isBusy?: () => boolean;
  /** When an utterance does not sound like what the model hears. Default never. */
  readonly doubt?: DoubtRule | undefined;
  /** Names the rule that ends an utterance after that much silence, or undefined while it goes on. */
  readonly endpoint: (utteranceMs: number, trailingSilenceMs: number) => string | undefined;
}

/** What was decoded in a silence that may become a pause. Still true while the speech ends where it ended. */
interface Foresight {
  readonly plan: DecodePlan;
  /** What follows the words committed since. */
  readonly result: DecodeResult;
}

export class Recogniser {
  readonly #options: RecogniserOptions;
  readonly #audio = new AudioBuffer();
  readonly #timeline: SpeechTimeline;
  readonly #coverage: Coverage;
  #window: Window | undefined;
  /** The last window, while it may serve as context. */
  #left: Window | undefined;
  /** Where the last window was left: the next one does not reach back behind it. */
  #leftAt = 0;
  /** Edge of the last decode of this window. */
  #decodedTo = 0;
  /** Speech end that a pause decode has already said everything of. */
  #saidTo = -1;
  #running: DecodePlan | undefined;
  /** The silence that was put around what is being decoded. */
  #around: Surroundings = { before: 0, behind: 0 };
  #foresight: Foresight | undefined;
  #flushes: number[] = [];
  readonly #utterance: OpenUtterance;
  #lastEndMs = 0;
  #tokens = 0;
  #settledMs = 0;
  #toldPartial = '';
  /** What the last `progress` said. */
  #toldMs = 0;
  #ready: Hypothesis[] = [];

  constructor(options: RecogniserOptions) {
    this.#options = options;
    this.#timeline = new SpeechTimeline(options.policy);
    this.#coverage = new Coverage(options.policy, this.#timeline);
    this.#utterance = new OpenUtterance(options.doubt);
  }

  /** Milliseconds of audio that was given but not settled. */
  get backlogMs(): number {
    return this.#audio.end / SAMPLES_PER_MS - this.#settledMs;
  }

  /** A decode is under way: `finish` or `abandon` is to follow. */
  get isDecoding(): boolean {
    return this.#running !== undefined;
  }

  /** Takes ownership of the samples. */
  pushAudio(samples: Float32Array): void {
    this.#audio.append(samples);
  }

  /** One probability for each 32 ms of the audio, in order. */
  pushProbabilities(probabilities: Float32Array): void {
    this.#timeline.push(probabilities);
  }

  /** All audio given so far is to be said; the marker comes back behind it. Call when its probabilities are known. */
  flush(marker: number): void {
    this.#flushes.push(marker);
  }

  /** Hypotheses that became ready since the last call. */
  drain(): Hypothesis[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** What to decode next, or undefined while nothing is worth it. Says what needs no decode on the way. */
  plan(): DecodePlan | undefined {
    if (this.#running !== undefined) return undefined;
    if (this.#flushes.length > 0) this.#timeline.closeOpen();
    for (;;) {
      const stretch = this.#timeline.stretches[0];
      if (stretch === undefined || !stretch.confirmed) {
        this.#settleSilence();
        return undefined;
      }
      this.#judgeForesight(stretch);
      const window = this.#window ?? this.#openWindow(stretch.start);
      this.#tellOnset(stretch);
      if (!stretch.closed || this.#saidTo !== stretch.end) return this.#planWindow(window, stretch);
      this.#leaveWindow(stretch.end);
    }
  }

  /** Begins the decode that `plan` gave: what the model is to be asked. The answer goes to `finish`. */
  begin(plan: DecodePlan): DecodeRequest {
    const window = this.#window;
    if (window === undefined || this.#running !== undefined)
      throw new TypeError('a decode begins without its plan');
    this.#running = plan;
    const speechStart = this.#timeline.stretches[0]?.start ?? 0;
    this.#around = missingSilence(speechStart - window.start, plan, this.#options.policy);
    const heard = loudEnough(this.#audio.slice(window.start, plan.edge), this.#options.policy);
    const samples = inSilence(heard, this.#around);
    const prefix = window.prefix;
    const seconds = samples.length / SAMPLES_PER_MS / 1000;
    const tokensMax = Math.ceil(seconds * this.#options.policy.tokensPerSecondMax) + 8 - prefix.length;
    const mustSpeak = plan.kind !== 'live' && this.#isClearlyUnsaid(window, plan.speechEnd);
    return { samples, prefix, draft: window.draft, tokensMax: Math.max(4, tokensMax), mustSpeak };
  }

  /** Is there clear speech of some length behind the last word? */
  #isClearlyUnsaid(window: Window, speechEnd: number): boolean {
    const stretch = this.#timeline.stretches[0];
    const { unsaidMs, clearProbability } = this.#options.policy;
    if (stretch === undefined || stretch.meanProbability < clearProbability) return false;
    const from = Math.max(stretch.start, window.settledMs * SAMPLES_PER_MS);
    return speechEnd - from >= unsaidMs * SAMPLES_PER_MS;
  }

  /** The answer to the decode that `begin` began. */
  finish(answer: DecodeResult): void {
    const plan = this.#running;
    const window = this.#window;
    this.#running = undefined;
    if (plan === undefined || window === undefined) return;
    const result = withoutSilence(answer, this.#around);
    if (this.#hearInParts(window, { plan, result })) return;
    const stretch = this.#timeline.stretches[0];
    // Everything was said only if nobody went on speaking meanwhile.
    const isOver = stretch?.end === plan.speechEnd && plan.kind !== 'live';
    const whole = plan.kind === 'cut' || (isOver && this.#isPaused(stretch));
    this.#decodedTo = plan.edge;
    if (this.#beginAnew(window, { plan, result }, whole)) return;
    const fresh = this.#take(window, { plan, result }, whole);
    if (isOver && !whole) this.#foresight = { plan, result: behind(fresh, result) };
    else if (!whole) this.#advance(window, plan.edge);
    this.#forget();
  }

  /** How often a phrase was said is heard best from pause to pause: where that is unclear nothing is said of the whole. */
  #hearInParts(window: Window, { plan, result }: Foresight): boolean {
    if (plan.kind !== 'cut' || window.prefix.length > 0) return false;
    const words = window.place(result.tokens, result, plan.edge, this.#options.vocabulary);
    const speechMs = (fromMs: number, toMs: number): number =>
      this.#timeline.speechMs(fromMs * SAMPLES_PER_MS, toMs * SAMPLES_PER_MS);
    const againMs = (plan.edge - window.start) / SAMPLES_PER_MS;
    return (
      isUnclearRepetition(words, speechMs) && this.#coverage.spend(againMs) && this.#partSpeech(window, plan)
    );
  }

  /** The speech is decoded again in parts, cut in its pauses, where it has any and nothing was said of it yet. */
  #partSpeech(window: Window, plan: DecodePlan): boolean {
    const { partMsMin } = this.#options.policy;
    if (plan.kind !== 'cut' || window.prefix.length > 0 || !this.#timeline.split(partMsMin)) return false;
    this.#window = undefined;
    this.#left = undefined;
    this.#forget();
    return true;
  }

  /**
   * Says nothing behind speech that a decode has passed over: the window begins anew before it, without the words that
   * led there, or all is heard in parts. True when it did.
   */
  #beginAnew(window: Window, { plan, result }: Foresight, whole: boolean): boolean {
    const { policy, vocabulary } = this.#options;
    this.#coverage.earn((plan.edge - window.start) / SAMPLES_PER_MS);
    const { words, hasDropped } = window.hear(result, plan.edge, whole, vocabulary);
    const isFull = plan.edge - window.start >= policy.batchWindowMsMax * SAMPLES_PER_MS;
    const isOngoing = plan.kind === 'live' && !isFull;
    // Behind a bound on tokens words are still to come, and at the edge of running speech.
    const isComplete = result.ended || hasDropped || words.length === 0;
    const hasWordsTo = Math.min(plan.speechEnd, plan.edge - (isOngoing ? policy.edgeMs * SAMPLES_PER_MS : 0));
    const anew = this.#coverage.judge(window, words, plan.edge, isComplete ? hasWordsTo : undefined);
    if (anew === undefined) return false;
    if (this.#partSpeech(window, plan)) return true;
    this.#say(words.slice(0, anew.believed), whole);
    this.#window = new Window(anew.start);
    this.#decodedTo = anew.start;
    this.#forget();
    return true;
  }

  /** If the silence became a pause, what was decoded in it is what was said; if the speaker went on, it is not. */
  #judgeForesight(stretch: SpeechStretch): void {
    const foresight = this.#foresight;
    const window = this.#window;
    if (foresight === undefined || window === undefined) return;
    const isTrue = foresight.plan.speechEnd === stretch.end;
    if (isTrue && !this.#isPaused(stretch)) return;
    this.#foresight = undefined;
    if (isTrue) this.#take(window, foresight, true);
    else this.#advance(window, foresight.plan.edge);
  }

  /** Says what of a decode is stable, all of it when `whole`. Returns that. */
  #take(window: Window, { plan, result }: Foresight, whole: boolean): readonly PlacedWord[] {
    const fresh = window.take(result, plan.edge, whole, this.#options.policy, this.#options.vocabulary);
    this.#say(fresh, whole);
    // Cut off by its bound while it made progress: there is more to be said of the same audio.
    const isComplete = result.ended || fresh.length === 0 || window.hasDropped;
    if (whole && isComplete) this.#saidTo = plan.speechEnd;
    this.#settle(Math.max(window.settledMs, this.#settledMs));
    this.#tellPartial(whole ? '' : window.tailText);
    return fresh;
  }

  /** Whether the speech is followed by silence enough to say everything. */
  #isPaused(stretch: SpeechStretch): boolean {
    const { pauseMs } = this.#options.policy;
    return stretch.closed || this.#known - stretch.end >= pauseMs * SAMPLES_PER_MS;
  }

  /**
   * Keeps the window bounded: trims it behind committed words; one that is full without any (a song, a machine that
   * sounds like speech) is said as it stands and left behind.
   */
  #advance(window: Window, edge: number): void {
    const { policy } = this.#options;
    window.trim(edge, policy, this.#options.isBusy?.() ?? false);
    if (edge - window.start < policy.batchWindowMsMax * SAMPLES_PER_MS) return;
    this.#say(window.takeTail(), true);
    this.#window = new Window(edge);
    this.#decodedTo = edge;
    this.#settle(edge / SAMPLES_PER_MS);
  }

  /** The decode failed: the next plan tries the same audio again. */
  abandon(): void {
    this.#running = undefined;
  }

  #planWindow(window: Window, stretch: SpeechStretch): DecodePlan | undefined {
    const { policy, mode } = this.#options;
    const speechEnd = stretch.end;
    // Never less than was decoded before: the bound may have become smaller since.
    const limit = Math.max(window.start + policy.batchWindowMsMax * SAMPLES_PER_MS, this.#decodedTo);
    const known = this.#known;
    const next = this.#timeline.stretches[1]?.start ?? known;
    const tail = Math.min(speechEnd + policy.tailMs * SAMPLES_PER_MS, known, next);
    if (tail > limit) return { kind: 'live', edge: limit, speechEnd };
    if (stretch.closed) return { kind: 'cut', edge: tail, speechEnd };
    if (mode === 'batch') return undefined;
    if (this.#isPaused(stretch)) {
      return this.#saidTo === speechEnd ? undefined : { kind: 'pause', edge: tail, speechEnd };
    }
    if (known - speechEnd >= policy.hushMs * SAMPLES_PER_MS) {
      return this.#foresight === undefined ? { kind: 'hush', edge: tail, speechEnd } : undefined;
    }
    const wanted =
      known - window.start < policy.firstMs * SAMPLES_PER_MS ? policy.firstMs : policy.intervalMs;
    const news = known - Math.max(this.#decodedTo, window.start);
    return news < wanted * SAMPLES_PER_MS ? undefined : { kind: 'live', edge: known, speechEnd };
  }

  /** How far speech and silence are known; when flushing, the last part of a frame counts as what it follows. */
  get #known(): number {
    return this.#flushes.length > 0 ? this.#audio.end : this.#timeline.known;
  }

  #openWindow(speechStart: number): Window {
    const lead = this.#options.policy.leadMs * SAMPLES_PER_MS;
    this.#endUtteranceBefore(speechStart);
    const start = Math.max(speechStart - lead, this.#leftAt, this.#audio.start);
    const isPart = this.#timeline.stretches[0]?.isPart === true;
    const window = (isPart ? undefined : this.#carriedWindow(speechStart)) ?? new Window(start);
    this.#window = window;
    this.#left = undefined;
    this.#decodedTo = start;
    this.#saidTo = -1;
    this.#settle(start / SAMPLES_PER_MS);
    return window;
  }

  /** The window that was left, when the pause was short and its last words help to understand what follows. */
  #carriedWindow(speechStart: number): Window | undefined {
    const { carryMs, carryContextMs } = this.#options.policy;
    const left = this.#left;
    if (left === undefined || speechStart - this.#leftAt > carryMs * SAMPLES_PER_MS) return undefined;
    return left.carry(speechStart, carryContextMs) ? left : undefined;
  }

  #leaveWindow(speechEnd: number): void {
    this.#left = this.#window;
    this.#window = undefined;
    this.#leftAt = speechEnd;
    this.#timeline.shift();
    this.#settle(speechEnd / SAMPLES_PER_MS);
    this.#forget();
  }

  /** Nothing is being said: how far silence reaches, whether the utterance is over, which flushes are answered. */
  #settleSilence(): void {
    const unclear = this.#timeline.stretches[0]?.start ?? this.#known;
    this.#endUtteranceBefore(unclear);
    if (this.#flushes.length > 0) {
      this.#endUtterance('flush');
      this.#settle(this.#audio.end / SAMPLES_PER_MS);
      for (const marker of this.#flushes.splice(0)) {
        this.#ready.push({ type: 'flushed', marker, settledMs: this.#settledMs, tokens: this.#tokens });
        this.#tokens = 0;
      }
      this.#leftAt = this.#audio.end;
      this.#left = undefined;
    } else {
      // A soft onset may still turn out to lie before the first frame of speech.
      this.#settle(unclear / SAMPLES_PER_MS - this.#options.policy.leadMs);
      this.#tellProgress();
    }
    this.#forget();
  }

  /** Somebody speaks who did not before; what was said of him already is no news. */
  #tellOnset({ start, end }: SpeechStretch): void {
    if (!this.#options.onsets || this.#utterance.startMs !== undefined || this.#saidTo === end) return;
    const startMs = this.#utterance.begin(start / SAMPLES_PER_MS);
    this.#ready.push({ type: 'onset', startMs, settledMs: this.#settledMs });
  }

  /** The unstable tail, for whoever asked; an empty one only to take the last one back. */
  #tellPartial(text: string): void {
    if (!this.#options.partials || (text === '' && this.#toldPartial === '')) return;
    this.#toldPartial = text;
    this.#ready.push({ type: 'partial', text, settledMs: this.#settledMs });
  }

  /** Says how far silence was passed over, a few times a second of audio. */
  #tellProgress(): void {
    if (this.#settledMs - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = this.#settledMs;
    this.#ready.push({ type: 'progress', settledMs: this.#settledMs });
  }

  #endUtteranceBefore(sample: number): void {
    if (this.#utterance.startMs === undefined) return;
    const utteranceMs = this.#utterance.lengthMs;
    const rule = this.#options.endpoint(utteranceMs, (sample - this.#leftAt) / SAMPLES_PER_MS);
    if (rule !== undefined) this.#endUtterance(rule);
  }

  #endUtterance(rule: string): void {
    const closed = this.#utterance.close(this.#leftAt / SAMPLES_PER_MS);
    if (closed === undefined) return;
    this.#settle(closed.endMs);
    this.#ready.push({ type: 'utterance', ...closed, rule, settledMs: this.#settledMs });
  }

  /** `whole`: the speech that they are of was heard to its end. */
  #say(fresh: readonly PlacedWord[], whole: boolean): void {
    if (fresh.length === 0) return;
    this.#tokens += fresh.reduce((sum, word) => sum + word.tokens.length, 0);
    const windowStartMs = Math.round((this.#window?.start ?? 0) / SAMPLES_PER_MS);
    // A word of a carried window may be placed in the pause before it; what was called settled stays so.
    const placed = fresh.map((word) => ({ ...word, endMs: Math.max(word.endMs, this.#settledMs) }));
    const words = placeStarts(
      placed,
      Math.max(this.#lastEndMs, this.#utterance.words.length === 0 ? windowStartMs : 0),
      (fromMs, toMs) => {
        const end = this.#timeline.silenceEnd(fromMs * SAMPLES_PER_MS, toMs * SAMPLES_PER_MS);
        return end === undefined ? undefined : end / SAMPLES_PER_MS;
      },
    );
    this.#lastEndMs = words.at(-1)?.endMs ?? this.#lastEndMs;
    this.#utterance.add(words, fresh, whole ? undefined : this.#decodedTo / SAMPLES_PER_MS);
    this.#settle(this.#lastEndMs);
    this.#ready.push({ type: 'words', words, settledMs: this.#settledMs, ...this.#utterance.mark });
    const rule = this.#options.endpoint(this.#utterance.lengthMs, 0);
    if (rule !== undefined) this.#endUtterance(rule);
  }

  #settle(ms: number): void {
    this.#settledMs = Math.max(this.#settledMs, Math.floor(ms));
  }

  /** Lets go of audio and probabilities that no later job can need. */
  #forget(): void {
    const lead = this.#options.policy.leadMs * SAMPLES_PER_MS;
    const open = this.#timeline.stretches[0]?.start ?? this.#timeline.known;
    if (open - this.#leftAt > this.#options.policy.carryMs * SAMPLES_PER_MS) this.#left = undefined;
    const needed = Math.min((this.#window ?? this.#left)?.start ?? Number.POSITIVE_INFINITY, open - lead);
    this.#audio.dropBefore(needed);
    this.#timeline.forgetBefore(needed - 1000 * SAMPLES_PER_MS);
  }
}
