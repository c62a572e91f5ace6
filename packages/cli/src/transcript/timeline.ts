import type { Utterance } from '@kikitori/client';
import { toPlainText } from '@kikitori/protocol/subtitles';
import type { SourceLanes } from '../audio/source.js';
import type { HeardEvent } from '../session/link.js';
import { type Change, TranscriptRecord } from './record.js';

/** One voice of several. */
interface Lane {
  readonly label: string;
  readonly record: TranscriptRecord;
  /** No utterance of it that is still to be told begins before this, ms. */
  fromMs: number;
  /** Its utterances that are not told yet. */
  readonly waiting: Utterance[];
}

/**
 * What was said, of one voice or of several on one timeline. Words are told as they come; utterances of several voices in the
 * order in which they begin, so one waits until no other voice can have begun before it. Of lanes that were found and not asked
 * for, none is told until a second one has words: where only one has, nothing was to be told apart, and there is no label.
 */
export class Timeline {
  readonly #lanes: readonly Lane[];
  readonly #isFound: boolean;
  readonly #isOne: boolean;

  /** `lanes` undefined: one voice. */
  constructor(lanes: SourceLanes | undefined) {
    this.#isOne = lanes === undefined;
    this.#isFound = lanes?.isFound ?? false;
    this.#lanes = (lanes?.labels ?? ['']).map((label) => ({
      label,
      record: new TranscriptRecord(),
      fromMs: 0,
      waiting: [],
    }));
  }

  get text(): string {
    const [first] = this.#lanes;
    return this.#isOne ? (first?.record.text ?? '') : toPlainText(this.utterances).trimEnd();
  }

  /** In the order in which they begin. */
  get utterances(): readonly Utterance[] {
    const [first] = this.#lanes;
    if (this.#isOne) return first?.record.utterances ?? [];
    return this.#lanes
      .flatMap((lane) => lane.record.utterances.map((utterance) => this.#labelled(lane, utterance)))
      .sort((a, b) => a.startMs - b.startMs);
  }

  /** Audio up to which every word of every voice has come; undefined when a server does not tell. */
  get settledMs(): number | undefined {
    const settled = this.#lanes.map(({ record }) => record.settledMs);
    return settled.includes(undefined) ? undefined : Math.min(...settled.map((ms = 0) => ms));
  }

  /** See `TranscriptRecord.isWithoutPlaces`. */
  get isWithoutPlaces(): boolean {
    return this.#lanes.some(({ record }) => record.isWithoutPlaces);
  }

  get firstDeltaAtMs(): number | undefined {
    return least(this.#lanes.map(({ record }) => record.firstDeltaAtMs));
  }

  get lastTextAtMs(): number | undefined {
    const last = this.#lanes.flatMap(({ record }) => record.lastTextAtMs ?? []);
    return last.length === 0 ? undefined : Math.max(...last);
  }

  /** See `TranscriptRecord.add`. */
  add({ lane: index = 0, ...event }: HeardEvent, atMs: number, sentMs: number): readonly Change[] {
    const lane = this.#lanes[index];
    if (lane === undefined) return [];
    const { record } = lane;
    const { settledMs = 0 } = record;
    // What is said from here on ends behind what was settled before.
    if (record.openText === '') lane.fromMs = settledMs;
    const change = record.add(event, atMs, sentMs);
    if (this.#isOne) return change === undefined ? [] : [change];
    if (record.openText === '') lane.fromMs = record.settledMs ?? 0;
    return this.#told(lane, change);
  }

  /** See `TranscriptRecord.closeOpen`: the end, behind which nothing waits. */
  closeOpen(endMs: number): readonly Change[] {
    const closed = this.#lanes.map(({ record }) => record.closeOpen(endMs));
    if (this.#isOne) return closed.flatMap((change) => change ?? []);
    for (const [index, lane] of this.#lanes.entries()) {
      const change = closed[index];
      lane.fromMs = Number.POSITIVE_INFINITY;
      if (change?.type === 'utterance') lane.waiting.push(change.utterance);
    }
    return this.#released({ isEnd: true });
  }

  #told(lane: Lane, change: Change | undefined): readonly Change[] {
    if (change?.type === 'utterance') lane.waiting.push(change.utterance);
    const released = this.#released({ isEnd: false });
    if (change === undefined || change.type === 'utterance') return released;
    return [{ ...change, label: lane.label }, ...released];
  }

  /** The utterances that nothing can come before any more. */
  #released({ isEnd }: { readonly isEnd: boolean }): readonly Change[] {
    if (this.#isFound && !isEnd && this.#spoken < 2) return [];
    const changes: Change[] = [];
    for (let lane = this.#earliest(); lane !== undefined; lane = this.#earliest()) {
      const utterance = lane.waiting[0];
      const others = this.#lanes.filter((other) => other !== lane && other.waiting.length === 0);
      if (utterance === undefined || others.some((other) => this.#mayPrecede(other, lane, utterance))) break;
      lane.waiting.shift();
      changes.push({ type: 'utterance', utterance: this.#labelled(lane, utterance) });
    }
    return changes;
  }

  /** Whether `other` may still have something that goes before: of what begins at once, that of the first lane does, whichever is heard first. */
  #mayPrecede(other: Lane, lane: Lane, { startMs }: Utterance): boolean {
    if (other.fromMs !== startMs) return other.fromMs < startMs;
    return this.#lanes.indexOf(other) < this.#lanes.indexOf(lane);
  }

  #earliest(): Lane | undefined {
    const startOf = ({ waiting }: Lane): number => waiting[0]?.startMs ?? Number.POSITIVE_INFINITY;
    const [first, ...rest] = this.#lanes.filter(({ waiting }) => waiting.length > 0);
    return first && rest.reduce((early, lane) => (startOf(lane) < startOf(early) ? lane : early), first);
  }

  #labelled({ label }: Lane, utterance: Utterance): Utterance {
    return this.#isFound && this.#spoken < 2 ? utterance : { ...utterance, label };
  }

  /** Voices that have words. */
  get #spoken(): number {
    return this.#lanes.filter(({ record }) => record.text !== '').length;
  }
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.flatMap((value) => value ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}
