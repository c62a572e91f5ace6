import { ClientError } from '@kikitori/client';
import { TransportError } from '@kikitori/transport';
import { CliError } from '../errors.js';
import { oneLine } from '../terminal/screened.js';

/** What a refused handshake means to the person at the keyboard, by its HTTP status. */
const REFUSALS: Readonly<Record<number, string>> = {
  403: 'The server does not answer at this path or under this name (HTTP 403): a Realtime URL ends in /v1/realtime, and a server without a key answers under names of its own machine only, unless it allows others (--allow-origin http://NAME).',
  404: 'The server has nothing to talk to at this path; a Realtime URL ends in /v1/realtime.',
  429: 'The server is busy; try again in a moment.',
  503: 'The server is busy or still loading its model; try again in a moment.',
};

const NO_KEY = 'The server wants an API key; set KIKITORI_API_KEY or --api-key.';
const WRONG_KEY =
  'The server does not know this API key; correct KIKITORI_API_KEY or --api-key, or ask whoever runs the server for one.';

/**
 * Turns what the client throws into a sentence for people; everything else passes through. `hasKey`: one was shown to the
 * server.
 */
export function asCliError(error: unknown, { hasKey }: { readonly hasKey: boolean }): unknown {
  if (!(error instanceof ClientError)) return error;
  const sentence = endpointSentence(error.cause);
  if (sentence !== undefined) return new CliError('service_failed', sentence, { cause: error });
  if (error.serverCode === 'unsupported_language') {
    return new CliError('usage', plain(error.serverText ?? ''), { cause: error });
  }
  return new CliError(
    error.code === 'invalid_argument' ? 'usage' : 'service_failed',
    sentenceOf(error, hasKey),
    {
      cause: error,
    },
  );
}

/**
 * What the way to SageMaker says, where it was that: its errors have a reason and a sentence for people, and carry the
 * service's own words.
 */
function endpointSentence(cause: unknown): string | undefined {
  if (!(cause instanceof TransportError) || !('reason' in cause)) return undefined;
  const text =
    'serviceText' in cause && typeof cause.serviceText === 'string' ? plain(cause.serviceText) : '';
  return text === '' ? cause.message : `${cause.message.replace(/\.$/, '')} ("${text}").`;
}

function sentenceOf(error: ClientError, hasKey: boolean): string {
  switch (error.code) {
    case 'connect_failed':
      return 'No connection to the server; start one with "kikitori serve", or check the URL.';
    case 'refused': {
      const status = error.httpStatus ?? 0;
      if (status === 401) return hasKey ? WRONG_KEY : NO_KEY;
      return REFUSALS[status] ?? `The server refused the connection (HTTP ${status}).`;
    }
    case 'server_error':
      return `The server reported an error${error.serverText ? `, "${plain(error.serverText)}"` : ''} (${plain(error.serverCode ?? 'no code')}).`;
    case 'closed':
      return `${error.message.replace(/\.$/, '')}${error.closeCode === undefined ? '' : ` (close code ${error.closeCode})`}; run it again.`;
    default:
      return error.message;
  }
}

/** The server's words on one line, behind which ours go on. */
function plain(text: string): string {
  return oneLine(text).trim();
}
