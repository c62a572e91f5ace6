/** Why there is no sound. Callers match the code, never the message. */
export type CaptureErrorCode =
  /** Browsers give a microphone only to pages over https, or from this very machine. */
  | 'insecure_context'
  /** The browser lacks what is needed: a microphone, worklets, or the sound of tabs. */
  | 'unsupported'
  /** The user or the browser's settings said no. */
  | 'permission_denied'
  /** There is no microphone, or not the one that was asked for. */
  | 'no_device'
  /** The system does not let go of it: another program has it, or it is broken. */
  | 'device_busy'
  /** What was chosen carries no sound: a tab shared without its audio. */
  | 'no_audio'
  /** The worklet or the worker could not be loaded. */
  | 'load_failed'
  /** The browser does not know this kind of file, or it is damaged. */
  | 'undecodable'
  /** The file is larger or longer than a browser can hold. */
  | 'too_long'
  /** An argument out of its range. */
  | 'invalid_argument'
  /** The caller's signal fired; the reason is the `cause`. */
  | 'aborted';

/** For each code: may the same call succeed when the user has done something about it? */
export const CAPTURE_ERRORS: Readonly<Record<CaptureErrorCode, { readonly isMendable: boolean }>> = {
  insecure_context: { isMendable: false },
  unsupported: { isMendable: false },
  permission_denied: { isMendable: true },
  no_device: { isMendable: true },
  device_busy: { isMendable: true },
  no_audio: { isMendable: true },
  load_failed: { isMendable: true },
  undecodable: { isMendable: false },
  too_long: { isMendable: false },
  invalid_argument: { isMendable: false },
  aborted: { isMendable: true },
};

/** The one error of this folder. The message is a static sentence. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly code: CaptureErrorCode;

  constructor(code: CaptureErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
