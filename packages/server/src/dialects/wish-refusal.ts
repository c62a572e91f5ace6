import type { Notice, SessionInput } from '../session/state.js';
import { faultText } from './faults.js';

/** The code of what closes a connection whose wishes cannot be met. The client was told why already, as a fault. */
export const REFUSED = 'refused';
const POLICY_VIOLATION = 1008;
/** Of a close frame. */
const REASON_CHARS_MAX = 100;

/**
 * Remembers that nothing can come of a session: in dialects whose clients name what they want once, and go on sending
 * whatever they are told.
 */
export class WishRefusal {
  #text: string | undefined;

  /** What went wrong, which may be that. */
  note(notice: Extract<Notice, { readonly type: 'fault' }>): void {
    const { fault } = notice;
    const isFatal =
      fault === 'model_not_found' || fault === 'unsupported_language' || fault === 'not_configured';
    if (isFatal) this.#text ??= faultText(notice);
  }

  /** What to ask of the session in place of anything else; undefined: nothing was refused. */
  get closing(): SessionInput | undefined {
    if (this.#text === undefined) return undefined;
    const closing = { code: POLICY_VIOLATION, reason: this.#text.slice(0, REASON_CHARS_MAX) };
    return { type: 'invalid', problem: { code: REFUSED, text: this.#text, closing } };
  }
}
