import type { Hypothesis, SpeechEngine, Word } from '@kikitori/engine';

/** An utterance of a file, times in whole milliseconds. */
export interface FileUtterance {
  readonly startMs: number;
  readonly endMs: number;
  readonly words: readonly Word[];
  /** It does not sound like a language that the model hears. */
  readonly unsure?: true;
  /** Whose words they are, where several channels were heard apart: from 0 on, and as people call it. */
  readonly lane?: number;
  readonly label?: string;
}

/** What a whole file said. */
export interface Recognised {
  readonly audioMs: number;
  /** Decoder tokens that the words took. */
  readonly tokens: number;
  readonly utterances: readonly FileUtterance[];
}

export interface RecogniseOptions {
  readonly engine: SpeechEngine;
  /** Mono, 16 kHz. Read as fast as the engine takes it. */
  readonly audio: AsyncIterable<Float32Array>;
  /** `isUnsure`: what their utterance holds so far does not sound like a language that the model hears. */
  readonly onWords: (words: readonly Word[], isUnsure: boolean) => void;
  /** Gives the engine's stream back at once; rejects with its reason. */
  readonly signal: AbortSignal;
}

const SAMPLES_PER_MS = 16;
const LAST = 1;

/**
 * Runs sound that is all there through a `batch` stream of the engine.
 *
 * @throws EngineError as the engine does, the signal's reason, and whatever `audio` throws
 */
export async function recognise({ engine, audio, onWords, signal }: RecogniseOptions): Promise<Recognised> {
  const stream = await engine.open({ mode: 'batch', signal });
  const close = (): void => {
    stream.close().catch(() => {});
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    const listening = listen(stream.hypotheses, onWords);
    // A failure of the engine also fails `write`; this one is awaited only after the last.
    listening.catch(() => {});
    let lengthSamples = 0;
    for await (const chunk of audio) {
      signal.throwIfAborted();
      await stream.write(chunk);
      lengthSamples += chunk.length;
    }
    stream.flush(LAST);
    const { tokens, utterances } = await listening;
    signal.throwIfAborted();
    return { audioMs: lengthSamples / SAMPLES_PER_MS, tokens, utterances };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', close);
    await stream.close();
  }
}

async function listen(
  hypotheses: AsyncIterable<Hypothesis>,
  onWords: RecogniseOptions['onWords'],
): Promise<{ readonly tokens: number; readonly utterances: readonly FileUtterance[] }> {
  const utterances: FileUtterance[] = [];
  let tokens = 0;
  for await (const hypothesis of hypotheses) {
    if (hypothesis.type === 'words') onWords(hypothesis.words, hypothesis.unsure === true);
    if (hypothesis.type === 'utterance' && hypothesis.words.length > 0) utterances.push(rounded(hypothesis));
    if (hypothesis.type === 'flushed') {
      tokens = hypothesis.tokens;
      break;
    }
  }
  return { tokens, utterances };
}

function rounded({ startMs, endMs, words, unsure }: FileUtterance): FileUtterance {
  return {
    ...(unsure === true ? { unsure } : {}),
    startMs: Math.round(startMs),
    endMs: Math.round(endMs),
    words: words.map((word) => ({
      text: word.text,
      startMs: Math.round(word.startMs),
      endMs: Math.round(word.endMs),
    })),
  };
}
