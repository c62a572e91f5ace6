import { type ChannelWish, laneLabel } from '@kikitori/audio/channels';
import type { DecodedFile } from '@kikitori/audio/file';
import type { SpeechEngine, Word } from '@kikitori/engine';
import type { Transcribed } from './file-exchange.js';
import { type FileUtterance, type Recognised, recognise } from './recognise.js';

/** What is said of a file as it is recognised. */
export interface FileWords {
  readonly words: readonly Word[];
  /** What their utterance holds so far does not sound like a language that the model hears. */
  readonly isUnsure: boolean;
  /** Whose they are, where several channels are heard apart. */
  readonly label: string | undefined;
}

export interface HearFileOptions {
  readonly engine: SpeechEngine;
  readonly wish: ChannelWish;
  /** Opens the file; as often as there are channels to be heard apart, and once before. */
  readonly open: (channels: ChannelWish) => Promise<DecodedFile>;
  readonly onWords: (said: FileWords) => void;
  readonly signal: AbortSignal;
}

/**
 * Recognises a file. Channels that are heard apart are heard one after the other, so that a file takes one place of the server
 * however many they are; their utterances are put on one timeline. Of channels that were found (`auto`) and of which one alone
 * has words, nothing is labelled. Errors: those of `recognise` and of `open`.
 */
export async function hearFile(options: HearFileOptions): Promise<Transcribed> {
  const { engine, wish, open, onWords, signal } = options;
  const remarks = new Set<string>();
  const hear = async (audio: DecodedFile, label: string | undefined): Promise<Recognised> => {
    const say = (words: readonly Word[], isUnsure: boolean): void => onWords({ words, isUnsure, label });
    const recognised = await recognise({ engine, audio, signal, onWords: say });
    for (const remark of audio.remarks) remarks.add(remark);
    return recognised;
  };
  const audio = await open(wish);
  const lanes = audio.lanes.length;
  if (lanes === 1) return { ...(await hear(audio, undefined)), remarks: [...remarks], lanes };
  await audio.close();
  const heard: { readonly lane: number; readonly label: string; readonly recognised: Recognised }[] = [];
  for (const [lane, channels] of audio.lanes.entries()) {
    const [channel = 0] = channels;
    const label = laneLabel(channels);
    heard.push({ lane, label, recognised: await hear(await open(channel + 1), label) });
  }
  const spoken = heard.filter(({ recognised }) => recognised.utterances.length > 0);
  const isPlain = wish === 'auto' && spoken.length < 2;
  return {
    audioMs: Math.max(...heard.map(({ recognised }) => recognised.audioMs)),
    tokens: heard.reduce((sum, { recognised }) => sum + recognised.tokens, 0),
    utterances: spoken
      .flatMap(({ lane, label, recognised: { utterances } }) =>
        utterances.map((utterance): FileUtterance => (isPlain ? utterance : { ...utterance, lane, label })),
      )
      .sort((a, b) => a.startMs - b.startMs),
    remarks: [...remarks],
    lanes,
  };
}
