import type { Context } from '../context.js';

/** What a check found. `advice` says what to do about it; always there for `warn` and `fail`. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly advice?: string;
}

/** What the checks look at. */
export interface DoctorQuestion {
  readonly port: number;
  readonly model: string | undefined;
  readonly signal: AbortSignal;
}

/** One thing that is looked at. Must not throw for anything that may be expected of a machine. */
export interface Check {
  readonly name: string;
  look(question: DoctorQuestion, context: Context): Promise<Finding>;
}
