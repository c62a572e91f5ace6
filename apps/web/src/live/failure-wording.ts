import { ClientError } from '@kikitori/client';
import { CaptureError, type CaptureErrorCode } from '@kikitori/client/browser';
import type { MessageKey } from './messages.js';

const CAPTURE_SENTENCES: Readonly<Record<CaptureErrorCode, MessageKey>> = {
  insecure_context: 'errorInsecure',
  unsupported: 'errorUnsupported',
  permission_denied: 'errorPermission',
  no_device: 'errorNoDevice',
  device_busy: 'errorBusy',
  no_audio: 'errorNoAudio',
  load_failed: 'errorLoad',
  undecodable: 'errorFile',
  too_long: 'errorTooLong',
  invalid_argument: 'errorUnsupported',
  aborted: 'errorConnection',
};

/** What to tell a visitor about a failure. `isMendable`: the same may succeed when tried again. */
export function sentenceFor(error: unknown): { readonly key: MessageKey; readonly isMendable: boolean } {
  if (error instanceof CaptureError) {
    const isMendable = !['insecure_context', 'unsupported', 'undecodable', 'too_long'].includes(error.code);
    return { key: CAPTURE_SENTENCES[error.code], isMendable };
  }
  const isBusy =
    error instanceof ClientError &&
    (error.httpStatus === 503 || error.httpStatus === 429 || error.closeCode === 1013);
  return { key: isBusy ? 'errorBusyServer' : 'errorConnection', isMendable: true };
}

/** The server does not know the key. */
export function isKeyRefused(error: unknown): boolean {
  return error instanceof ClientError && error.httpStatus === 401;
}
