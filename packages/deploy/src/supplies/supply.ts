import type { DeployError } from '../errors.js';
import type { Permission } from '../plan/permissions.js';
import type { LifecycleOptions } from '../progress.js';

/** Whether something that the deployment needs is there. */
export interface Check {
  /** What was looked at, in a word or two. */
  readonly name: string;
  /** `unknown`: it could not be looked at, and may be there; that stops nothing. */
  readonly state: 'ok' | 'missing' | 'unknown';
  /** What was found. */
  readonly text: string;
  /** How to get it; empty where all is well. */
  readonly remedy: string;
  /** Why something that is needed could not be looked at: a deployment ends with it, a plan goes on. */
  readonly failure?: DeployError;
}

/**
 * Something that the stack needs and CloudFormation cannot make: the image, the weights. Named by somebody, or brought by us.
 * `Given` is what the stack is told of it.
 */
export interface Supply<Given> {
  /** What happens, for the plan: one line. */
  readonly summary: string;
  /** What it may take, in minutes: least and most. */
  readonly minutes: readonly [number, number];
  readonly permissions: readonly Permission[];
  /** Looks without touching. */
  check(signal: AbortSignal): Promise<Check>;
  /** Brings it, or finds it there. Run again after whatever happened, it goes on. */
  ensure(options: LifecycleOptions): Promise<Given>;
}

/** Minutes of something that is there: it is only looked at. */
export const LOOKED_AT: readonly [number, number] = [0, 1];

/** An image in ECR. */
export interface GivenImage {
  readonly imageUri: string;
  readonly repositoryArn: string;
}

/** Weights in S3. */
export interface GivenWeights {
  readonly bucket: string;
  /** With a slash at its end. */
  readonly prefix: string;
}
