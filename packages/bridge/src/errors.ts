/** Why a bridge could not start or go on. Callers match the code, never the message. */
export type BridgeErrorCode =
  /** An option is missing, unknown or out of its range. */
  | 'invalid_option'
  /** Another program listens on the port. */
  | 'port_in_use'
  /** The port needs rights that this user does not have. */
  | 'port_forbidden'
  /** The address is not one of this machine. */
  | 'address_unavailable'
  /** Listening failed for another reason. */
  | 'listen_failed'
  /** The command of the model server could not be started. */
  | 'exec_failed'
  /** The model server ended, and may not or not any more be started again. */
  | 'model_server_ended';

/** What follows from a code. */
export interface BridgeErrorTraits {
  readonly retryable: boolean;
  /** How the command ends. */
  readonly exitCode: number;
}

export const BRIDGE_ERRORS: Readonly<Record<BridgeErrorCode, BridgeErrorTraits>> = {
  invalid_option: { retryable: false, exitCode: 2 },
  port_in_use: { retryable: true, exitCode: 2 },
  port_forbidden: { retryable: false, exitCode: 2 },
  address_unavailable: { retryable: false, exitCode: 2 },
  listen_failed: { retryable: false, exitCode: 1 },
  exec_failed: { retryable: false, exitCode: 1 },
  model_server_ended: { retryable: true, exitCode: 1 },
};

/** The one error of this package. The message is a sentence that says what to do, without secrets. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: BridgeErrorCode;

  constructor(code: BridgeErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** What `listen` of a server failed with, in our words. */
export function listenError(cause: NodeJS.ErrnoException, host: string, port: number): BridgeError {
  switch (cause.code) {
    case 'EADDRINUSE':
      return new BridgeError('port_in_use', `Port ${port} is taken; choose another with --port.`, { cause });
    case 'EACCES':
      return new BridgeError('port_forbidden', `Port ${port} needs more rights; choose one above 1023.`, {
        cause,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new BridgeError('address_unavailable', `This machine has no address ${host}.`, { cause });
    default:
      return new BridgeError('listen_failed', 'Listening failed.', { cause });
  }
}
