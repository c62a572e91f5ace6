import type { CaptureState } from '@kikitori/client/browser';
import type { SpeakerState } from '@kikitori/client/shared-captions';
import type { MessageKey, MessageValues } from './messages.js';

/** What the page is doing. */
export type Phase = 'idle' | 'asking' | 'decoding' | 'recording' | 'reading' | 'finishing' | 'done';

/** Everything that the line of state depends on. */
export interface PageState {
  readonly phase: Phase;
  readonly capture: CaptureState;
  readonly line: 'connecting' | 'open' | 'away';
  readonly isMuted: boolean;
  readonly keptMs: number;
  readonly name: string;
}

/** One sentence: what matters most now. */
export function stateLine(state: PageState): readonly [MessageKey, MessageValues] {
  const kept = { n: Math.ceil(state.keptMs / 1000) };
  switch (state.phase) {
    case 'idle':
      return ['stateIdle', {}];
    case 'asking':
      return ['stateAsking', {}];
    case 'decoding':
      return ['stateDecoding', { name: state.name }];
    case 'finishing':
      return state.line === 'away' ? ['stateReconnecting', kept] : ['stateFinishing', {}];
    case 'done':
      return ['stateDone', {}];
    case 'reading':
      return state.line === 'away' ? ['stateReconnecting', kept] : ['stateReading', { name: state.name }];
    case 'recording':
      return recordingLine(state, kept);
  }
}

function recordingLine(
  { capture, line, isMuted }: PageState,
  kept: MessageValues,
): readonly [MessageKey, MessageValues] {
  if (capture === 'starting') return ['stateStarting', {}];
  if (capture === 'suspended') return ['stateSuspended', {}];
  if (line === 'away') return ['stateReconnecting', kept];
  if (line === 'connecting') return ['stateConnecting', kept];
  if (isMuted) return ['stateMuted', {}];
  return capture === 'silent' ? ['stateSilent', {}] : ['stateLive', {}];
}

/** The same for whoever reads along by a link. */
export function speakerState({ phase, capture, line, isMuted }: PageState): SpeakerState {
  switch (phase) {
    case 'idle':
    case 'done':
      return 'ended';
    case 'asking':
    case 'decoding':
      return 'waiting';
    case 'reading':
    case 'finishing':
      return line === 'away' ? 'paused' : 'live';
    case 'recording':
      if (capture === 'starting') return 'waiting';
      return isMuted || capture === 'suspended' || line === 'away' ? 'paused' : 'live';
  }
}
