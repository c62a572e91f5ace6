/**
 * What the session machine talks in: its states, what goes in, what comes out. Types only. Free of any dialect:
 * `dialect-vllm.ts` turns messages into inputs and notices into messages.
 */

import type { EngineErrorCode, Hypothesis } from '@kikitori/engine';
import type { ErrorCode } from '@kikitori/protocol';
import type { AudioQueue } from './audio-queue.js';

/** What the machine is told. */
export type Input =
  /** The client named a model, and perhaps said which extras it wants; absent ones stay as they are. */
  | {
      readonly type: 'configure';
      readonly model: string;
      readonly words: boolean | undefined;
      readonly partials: boolean | undefined;
      readonly replay?: boolean | undefined;
      readonly delayMs?: number | undefined;
      /** As the client wrote it. */
      readonly language?: string | undefined;
    }
  /** Audio: PCM16 little-endian, mono, 16 kHz, a whole number of samples and at least one. Kept by the machine. */
  | { readonly type: 'append'; readonly pcm: Uint8Array }
  /** Start of an utterance (the dialect's `commit`). */
  | { readonly type: 'commit' }
  /** End of an utterance (`commit` with `final: true`). */
  | { readonly type: 'final' }
  /** A message that could not be understood; the answer is ready. */
  | { readonly type: 'invalid'; readonly code: ErrorCode; readonly text: string }
  | { readonly type: 'hypothesis'; readonly hypothesis: Hypothesis }
  /** The engine refused to open a stream, or the open one failed. */
  | { readonly type: 'engine-lost'; readonly code: EngineErrorCode }
  | { readonly type: 'deadline'; readonly name: DeadlineName }
  /** The client did not read what it was sent for too long. */
  | { readonly type: 'stalled' }
  /** The server is going down: answer what is running, then close. */
  | { readonly type: 'drain'; readonly deadlineMs: number }
  /** The connection is gone. */
  | { readonly type: 'gone' };

/**
 * `idle`: nothing came from the client. `session`: the longest life of a session. `finish`: the wait for the last
 * answer of a session that is ending. `progress`: the next progress notice is due.
 */
export type DeadlineName = 'idle' | 'session' | 'finish' | 'progress';

/** What the machine wants done, in order. */
export type Effect =
  | { readonly type: 'send'; readonly notice: Notice }
  /** Open a stream of the engine. */
  | { readonly type: 'open'; readonly wishes: StreamWishes }
  /** PCM16 little-endian for the open stream. */
  | { readonly type: 'write'; readonly pcm: Uint8Array }
  /** The audio of this `append` was not taken. */
  | { readonly type: 'drop' }
  | { readonly type: 'flush'; readonly marker: number }
  /** Close the stream: its slot is free again. */
  | { readonly type: 'release' }
  /** Starts the deadline, or starts it anew. */
  | { readonly type: 'start-deadline'; readonly name: DeadlineName; readonly afterMs: number }
  /** Deliver what was sent, then close the connection. Always the last effect of a session. */
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  /** The connection is gone: stop everything. Always the last effect of a session. */
  | { readonly type: 'end' };

/** What an engine's stream is opened with. */
export interface StreamWishes {
  readonly partials: boolean;
  /** Milliseconds that words may wait for what follows them; undefined: as the engine does. */
  readonly delayMs: number | undefined;
}

/** What the client is told. Times are integers, milliseconds since the first audio sample of the session. */
export type Notice =
  | { readonly type: 'created'; readonly id: string; readonly createdS: number }
  /** `audioMs` and `unsure` only for clients that asked for words, `words` only for those that asked for replay. */
  | {
      readonly type: 'delta';
      readonly text: string;
      readonly audioMs?: number;
      readonly words?: readonly PlacedWord[];
      readonly unsure?: true;
    }
  /** `audioMs` only for clients that asked for replay: the audio up to here is answered. */
  | { readonly type: 'done'; readonly text: string; readonly usage: Usage; readonly audioMs?: number }
  | { readonly type: 'error'; readonly code: ErrorCode; readonly text: string }
  | {
      readonly type: 'utterance';
      readonly text: string;
      readonly startMs: number;
      readonly endMs: number;
      readonly words: readonly PlacedWord[];
      /** It does not sound like a language that the model hears. */
      readonly unsure?: true;
    }
  /** `lagMs`: audio received and not settled. */
  | {
      readonly type: 'progress';
      readonly receivedMs: number;
      readonly settledMs: number;
      readonly lagMs: number;
    }
  | { readonly type: 'partial'; readonly text: string; readonly audioMs: number };

/** A word with its place in the session's audio. */
export interface PlacedWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** What an utterance cost. */
export interface Usage {
  /** Frames of 80 ms that its audio fills, the last one counted whole. */
  readonly promptTokens: number;
  /** Decoder tokens that the engine spent on its words. */
  readonly completionTokens: number;
}

/** What outlives utterances. */
export interface Common {
  /** Audio accepted so far: the end of the session's timeline. */
  readonly receivedSamples: number;
  /** Audio handed to the engine so far, over all streams. */
  readonly writtenSamples: number;
  /** Every word that ends before it has been sent. Session timeline. */
  readonly settledMs: number;
  /** From here on words are missing because the engine failed: a client with `replay` is told no more than this. */
  readonly lostFromMs: number;
  readonly words: boolean;
  readonly wishes: StreamWishes;
  /** The client sends again what is not settled, so nothing has to be cut short for it. */
  readonly replay: boolean;
  /** The engine's stream, if one is open. It is opened with the first audio of an utterance and then kept. */
  readonly stream: OpenStream | undefined;
  readonly nextMarker: number;
  readonly progressSentAtMs: number;
  /** The deadline `progress` is running. */
  readonly progressScheduled: boolean;
}

export interface OpenStream {
  /** Where on the session's timeline the first sample of the stream lies. */
  readonly originMs: number;
  readonly wishes: StreamWishes;
}

/** The utterance that is running. */
export interface RunningUtterance {
  /** Exact concatenation of its deltas. */
  readonly text: string;
  readonly lengthSamples: number;
}

/** How a session that is ending will be closed. */
export interface Ending {
  readonly closeCode: number;
  readonly closeReason: string;
  readonly error: ErrorCode | undefined;
}

/** Each member carries only what is valid then. */
export type State =
  /** No good model was named yet. */
  | { readonly type: 'unvalidated'; readonly common: Common; readonly queue: AudioQueue }
  /** No utterance is running. */
  | { readonly type: 'ready'; readonly common: Common; readonly queue: AudioQueue }
  /** An utterance is running and its end was not asked for: audio goes to the engine as it comes. */
  | { readonly type: 'listening'; readonly common: Common; readonly utterance: RunningUtterance }
  /** The end was asked for; the engine is still speaking. What arrives now is queued for the next utterance. */
  | {
      readonly type: 'answering';
      readonly common: Common;
      readonly utterance: RunningUtterance;
      readonly marker: number;
      readonly queue: AudioQueue;
      /** How many commits wait for their turn; at most one more than ended utterances are queued. */
      readonly starts: number;
      readonly ending: Ending | undefined;
    }
  | { readonly type: 'closed' };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** What a session may do. Filled from `limits.ts`. */
export interface MachineConfig {
  /** Served model names. The empty string always means the default one, as in vLLM. */
  readonly models: readonly string[];
  /** BCP 47 tags of the languages that the model hears; none: not known. */
  readonly languages: readonly string[];
  /** Audio that may wait without an utterance to take it. */
  readonly queuedAudioMsMax: number;
  /** Ended utterances that may wait. */
  readonly queuedUtterancesMax: number;
  /** Characters of one utterance. */
  readonly utteranceCharsMax: number;
  /** 0: no limit. */
  readonly idleTimeoutMs: number;
  /** The same for the first message; 0: no other. */
  readonly firstMessageMs: number;
  /** 0: no limit. */
  readonly sessionMsMax: number;
  /** How long a session that is ending waits for the engine's last words. */
  readonly finishMs: number;
  readonly progressIntervalMs: number;
}
