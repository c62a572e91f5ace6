import type { SessionInput } from '../session/state.js';

/** A message that asks for nothing that can be done; the session goes on. `code`: one of few. `text`: for the client. */
export function invalid(code: string, text: string): SessionInput {
  return { type: 'invalid', problem: { code, text } };
}
