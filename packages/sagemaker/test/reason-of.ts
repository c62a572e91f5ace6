import { SageMakerError } from '../src/errors.js';

/** The reason of the `SageMakerError` that a call throws; `none` if it throws nothing. Other errors pass. */
export function reasonOf(call: () => unknown): string {
  try {
    call();
    return 'none';
  } catch (error) {
    if (error instanceof SageMakerError) return error.reason;
    throw error;
  }
}
