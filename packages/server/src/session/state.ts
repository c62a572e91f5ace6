/**
 * What the session machine talks in: its states, what goes in, what comes out. Types only. Free of any dialect: those
 * in `dialects/` turn messages into inputs and notices into messages.
 */

import type { EngineErrorCode, Hypothesis } from '@kikitori/engine';
import type { AudioQueue } from './audio-queue.js';

/** What the machine is told. */
export type Input =
  /** The client named a model, and perhaps said what else it wants; what is absent stays as it is. */
  | {
      readonly type: 'configure';
      readonly model: string;
      /** As the client wrote it. */
      readonly language?: string | undefined;
      /** Wants to be told of every utterance of speech that the engine finds. */
      readonly utterances?: boolean | undefined;
      /** Wants to be told, as time goes by, how far its audio is recognised. */
      readonly progress?: boolean | undefined;
      /** Wants the words that may still change. */
      readonly partials?: boolean | undefined;
      /** Wants to be told when somebody begins to speak; of words alone. */
      readonly onsets?: boolean | undefined;
      /** Sends again what is not settled when it comes back, so nothing has to be cut short for it. */
      readonly resumes?: boolean | undefined;
      /** Milliseconds that words may wait for what follows them. */
      readonly delayMs?: number | undefined;
    }
  | Append
  /** An utterance begins: it takes the audio that waits, and what comes. */
  | { readonly type: 'begin' }
  /** The utterance ends with the audio that came so far: it is to be answered. */
  | { readonly type: 'end' }
  /** Audio that was not answered is dropped: what waits, and the running utterance with what it would still say. */
  | { readonly type: 'clear' }
  /** The client has nothing more to say: answer what is running and what was ended, then close with 1000. */
  | { readonly type: 'leave' }
  /** A message that could not be understood. */
  | { readonly type: 'invalid'; readonly problem: Problem }
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
 * Audio: PCM16 little-endian, mono, 16 kHz, a whole number of samples and at least one. Kept by the machine. `lane`: the
 * place among the session's lanes; absent: the first.
 */
export interface Append {
  readonly type: 'append';
  readonly pcm: Uint8Array;
  readonly lane?: number;
}

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
  /** Words with their places, and utterances; else text as soon as there is some. */
  readonly words: boolean;
  readonly partials: boolean;
  readonly onsets: boolean;
  /** Milliseconds that words may wait for what follows them; undefined: as the engine does. */
  readonly delayMs: number | undefined;
}

/** What a dialect asks of the session: of the machine of each lane, or which lanes there are. */
export type SessionInput =
  | Input
  /** Audio of one message, piece by piece: each is made when it is taken, so that none holds up other sessions for long. */
  | { readonly type: 'appends'; readonly pieces: Iterable<Append> }
  /**
   * The session hears so many voices, each under its label and in audio of its own; once, before anything else. Without it
   * there is one lane, which has no label.
   */
  | { readonly type: 'lanes'; readonly labels: readonly string[] };

/** Whose words a notice is about, in a session with more than one lane. */
export interface LaneTag {
  /** Place among the lanes, from 0. */
  readonly index: number;
  readonly label: string;
}

/** What a dialect is told. Without `lane` it is about the session, or about its only lane. */
export type SessionNotice = (Notice | ClosingNotice) & { readonly lane?: LaneTag };

/** What is wrong with a message, in the words of its dialect; the machine hands it back as it is. */
export interface Problem {
  /** One of few: it becomes a metric's label. */
  readonly code: string;
  /** What the client is told. Never logged. */
  readonly text: string;
  /** The session ends with it. */
  readonly closing?: { readonly code: number; readonly reason: string };
}

/** What goes wrong in a session, whatever its dialect. */
export type Fault =
  /** The model that was named is not served; `detail` is its name. */
  | 'model_not_found'
  /** `detail`: a sentence with the languages that the model hears. */
  | 'unsupported_language'
  /** An utterance was begun or ended before a model was named. */
  | 'not_configured'
  /** Too much audio waits for its utterance; what does not fit was dropped. */
  | 'buffer_full'
  /** The running utterance gets no `done`. */
  | 'engine_failed'
  | 'engine_busy'
  | 'idle_timeout'
  | 'session_expired'
  | 'slow_reader';

/** The connection is about to be closed: the last notice of a session, after all of its lanes, where a dialect has a word for it. */
export interface ClosingNotice {
  readonly type: 'closing';
  /** RFC 6455's. */
  readonly code: number;
  /** Since the session began. */
  readonly lifeMs: number;
}

/** What the client is told. Times are integers, milliseconds since the first audio sample of the session. */
export type Notice =
  | { readonly type: 'created'; readonly id: string; readonly createdS: number }
  /** The last `configure` was taken. */
  | { readonly type: 'configured' }
  /** The last `clear` was done. */
  | { readonly type: 'cleared' }
  /**
   * Stable words, a space before each; or text as the model wrote it, and no words, where nobody asked for utterances. `audioMs`:
   * where the last of it ends.
   */
  | {
      readonly type: 'delta';
      readonly text: string;
      readonly audioMs: number;
      readonly words: readonly PlacedWord[];
      readonly unsure?: true;
    }
  /** The answer to an utterance: all its words. */
  | {
      readonly type: 'done';
      /** Exact concatenation of its deltas. */
      readonly text: string;
      /** Length of its audio. */
      readonly samples: number;
      /** Decoder tokens that the engine spent on its words. */
      readonly tokens: number;
      /** The audio up to here is answered. */
      readonly audioMs: number;
    }
  /** `detail` where the fault says so. */
  | { readonly type: 'fault'; readonly fault: Fault; readonly detail?: string }
  | { readonly type: 'invalid'; readonly problem: Problem }
  /** Only for who asked. Somebody begins to speak; the next utterance is his. */
  | { readonly type: 'onset'; readonly startMs: number }
  /**
   * Only for who asked. The engine found the end of an utterance of speech, whatever the client calls one. Without words only
   * for who is told of onsets: it was no speech.
   */
  | {
      readonly type: 'utterance';
      readonly text: string;
      readonly startMs: number;
      readonly endMs: number;
      readonly words: readonly PlacedWord[];
      /** It does not sound like a language that the model hears. */
      readonly unsure?: true;
    }
  /** Only for who asked. `lagMs`: audio received and not settled. */
  | {
      readonly type: 'progress';
      readonly receivedMs: number;
      readonly settledMs: number;
      readonly lagMs: number;
    }
  /** Only for who asked. */
  | { readonly type: 'partial'; readonly text: string; readonly audioMs: number };

/** A word with its place in the session's audio. */
export interface PlacedWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** What outlives utterances. */
export interface Common {
  /** Audio accepted so far: the end of the session's timeline. */
  readonly receivedSamples: number;
  /** Audio handed to the engine so far, over all streams. */
  readonly writtenSamples: number;
  /** Every word that ends before it has been sent. Session timeline. */
  readonly settledMs: number;
  /** From here on words are missing because the engine failed: a client that resumes is told no more than this. */
  readonly lostFromMs: number;
  /** What the client is told beside words and answers. */
  readonly utterances: boolean;
  readonly progress: boolean;
  readonly wishes: StreamWishes;
  /** The client sends again what is not settled, so nothing has to be cut short for it. */
  readonly resumes: boolean;
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
  readonly fault: Fault | undefined;
}

/** Each member carries only what is valid then. */
export type State =
  /** No good model was named yet. */
  | { readonly type: 'unconfigured'; readonly common: Common; readonly queue: AudioQueue }
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
      /** How many beginnings wait for their turn; at most one more than ended utterances are queued. */
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
  /** Served model names. The empty string always means the default one. */
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
