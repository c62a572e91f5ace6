import { ProtocolError } from './errors.js';

/**
 * A message that is not an event. Parsers never throw: what cannot be read is a value, so that a `switch` on `type`
 * sees every case. Members that are not part of an event are ignored; of duplicate keys the last wins.
 */
export interface InvalidEvent {
  readonly type: 'invalid';
  /** Its `toEvent()` has the code that vLLM answers with, where vLLM answers. */
  readonly error: ProtocolError;
}

/** Runs a parser; a `ProtocolError` becomes a value, anything else is a bug and passes. */
export function settled<Event>(parse: () => Event): Event | InvalidEvent {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ProtocolError) return { type: 'invalid', error };
    throw error;
  }
}
