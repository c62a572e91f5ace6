import type { Hypothesis, Word } from '../engine.js';

/**
 * Checks what a stream said, from its first hypothesis on, against the guarantees of {@link Hypothesis}.
 *
 * @returns one sentence per broken guarantee, with the index of the hypothesis; empty when all hold
 */
export function violationsOf(hypotheses: readonly Hypothesis[]): readonly string[] {
  const check = new Check();
  hypotheses.forEach((hypothesis, index) => {
    check.add(hypothesis, index);
  });
  return check.violations;
}

class Check {
  readonly violations: string[] = [];
  #settledMs = 0;
  #startMs = 0;
  #endMs = 0;
  #open: Word[] = [];
  /** Somebody began to speak, and no utterance has closed it. */
  #hasOnset = false;
  /** One was told: there has to be one for each utterance. */
  #wantsOnsets = false;
  /** Words of the open utterance were said to be unsure. */
  #isUnsure = false;

  add(hypothesis: Hypothesis, index: number): void {
    const report = (broken: boolean, sentence: string): void => {
      if (broken) this.violations.push(`${index} (${hypothesis.type}): ${sentence}`);
    };
    report(!(hypothesis.settledMs >= this.#settledMs), 'settledMs went back.');
    switch (hypothesis.type) {
      case 'onset':
        report(this.#hasOnset || this.#open.length > 0, 'somebody begins to speak who speaks already.');
        report(
          !(hypothesis.startMs >= this.#endMs),
          'somebody begins to speak in an utterance that is over.',
        );
        this.#hasOnset = true;
        this.#wantsOnsets = true;
        break;
      case 'words':
        report(this.#wantsOnsets && !this.#hasOnset, 'nobody has begun to speak.');
        this.#addWords(hypothesis.words, report);
        report(this.#isUnsure && hypothesis.unsure !== true, 'words of an unsure utterance are sure.');
        this.#isUnsure = hypothesis.unsure === true;
        break;
      case 'utterance':
        this.#addUtterance(hypothesis, report);
        report(this.#isUnsure && hypothesis.unsure !== true, 'an utterance with unsure words is sure.');
        this.#isUnsure = false;
        break;
      case 'flushed':
        report(this.#open.length > 0, 'words were said and no utterance closed them.');
        report(this.#hasOnset, 'somebody has begun to speak and no utterance closed it.');
        report(!Number.isSafeInteger(hypothesis.tokens) || hypothesis.tokens < 0, 'tokens is no count.');
        break;
      case 'partial':
        report(hypothesis.text !== hypothesis.text.trim(), 'the text has space around it.');
        break;
      case 'text':
        report(hypothesis.text === '', 'there is no text.');
        report(this.#open.length > 0, 'text and words are mixed.');
        break;
      case 'progress':
        break;
      default:
        hypothesis satisfies never;
    }
    this.#settledMs = hypothesis.settledMs;
  }

  #addWords(words: readonly Word[], report: (broken: boolean, sentence: string) => void): void {
    report(words.length === 0, 'there are no words.');
    for (const { text, startMs, endMs } of words) {
      report(text === '' || /\s/.test(text), 'a word is empty or holds space.');
      report(!(startMs >= this.#startMs), 'a word starts before the one in front of it.');
      report(!(endMs >= startMs), 'a word ends before it starts.');
      report(endMs < this.#settledMs, 'a word ends in audio that was settled before.');
      this.#startMs = startMs;
    }
    this.#open.push(...words);
  }

  #addUtterance(
    { words, startMs, endMs, rule }: Hypothesis & { readonly type: 'utterance' },
    report: (broken: boolean, sentence: string) => void,
  ): void {
    const open = this.#open;
    this.#open = [];
    const repeats = words.length === open.length && words.every((word, at) => isSame(word, open[at]));
    report(!repeats, 'the utterance does not repeat its words.');
    report(words.length === 0 && !this.#hasOnset, 'the utterance has no words.');
    this.#hasOnset = false;
    this.#endMs = endMs;
    report(rule === '', 'the utterance names no rule.');
    const first = words[0];
    const last = words.at(-1);
    if (first === undefined || last === undefined) return;
    report(startMs > first.startMs || endMs < last.endMs, 'the utterance does not cover its words.');
  }
}

function isSame(one: Word, other: Word | undefined): boolean {
  return one.text === other?.text && one.startMs === other.startMs && one.endMs === other.endMs;
}
