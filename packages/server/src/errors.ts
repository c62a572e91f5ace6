/** Why a server could not start or go on. Callers match the code, never the message. */
export type ServerErrorCode =
  /** Another program listens on the port. */
  | 'port_in_use'
  /** The port needs rights that this user does not have. */
  | 'port_forbidden'
  /** The address is not one of this machine. */
  | 'address_unavailable'
  /** Listening there without an API key would let anybody in. */
  | 'unsafe_address'
  /** Listening failed for another reason. */
  | 'listen_failed'
  /** An option is out of its range. */
  | 'invalid_option'
  /** An HTTP request that cannot be answered as asked; `answer` says how. Never leaves the server. */
  | 'request_refused';

/** For each code: is it worth trying again, and how the command ends. */
export const SERVER_ERRORS: Readonly<
  Record<ServerErrorCode, { readonly retryable: boolean; readonly exitCode: number }>
> = {
  port_in_use: { retryable: true, exitCode: 2 },
  port_forbidden: { retryable: false, exitCode: 2 },
  address_unavailable: { retryable: false, exitCode: 2 },
  unsafe_address: { retryable: false, exitCode: 2 },
  listen_failed: { retryable: false, exitCode: 1 },
  invalid_option: { retryable: false, exitCode: 2 },
  request_refused: { retryable: false, exitCode: 1 },
};

/** Why an HTTP request failed, as vLLM and OpenAI tell it. */
export interface HttpError {
  readonly status: number;
  /** A static sentence that says what to do. */
  readonly message: string;
  /** The form field at fault. */
  readonly param?: string;
}

/** The one error of this package. The message says what to do; it holds the port or the host, and no secret. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;
  /** Only with `request_refused`. */
  readonly answer: HttpError | undefined;

  constructor(
    code: ServerErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly answer?: HttpError } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.answer = options.answer;
  }
}

/** The status of a request whose client left; nobody hears it, it is counted. */
export const CLIENT_LEFT = 499;

/** The error that makes an HTTP handler answer so. */
export function refusal(status: number, message: string, param?: string): ServerError {
  const answer: HttpError = param === undefined ? { status, message } : { status, message, param };
  return new ServerError('request_refused', message, { answer });
}
