import type { Random } from './random.js';

/** One thing that reads bytes from outside. */
export interface FuzzTarget {
  /** How it is called on the command line. */
  readonly name: string;
  /** Attacks of one run of `npm test`; a few seconds at most. */
  readonly attacks: number;
  /** Reads more than bytes that are here: sockets, threads. Its time says nothing of a parser. */
  readonly isOutside?: boolean;
  open(): FuzzSubject | Promise<FuzzSubject>;
}

/** What is attacked, set up. */
export interface FuzzSubject {
  /** One input, made from the random numbers alone. Throws where the answer was not one that is allowed. */
  attack(random: Random): void | Promise<void>;
  close?(): Promise<void>;
}

/** A subject without anything to set up. */
export function pure(attack: (random: Random) => void): () => FuzzSubject {
  return () => ({ attack });
}

type ErrorClass = abstract new (...args: never[]) => Error;

/** Runs it; errors of these classes are an answer like any other. Anything else passes through. */
export function answerOf<T>(run: () => T, ...allowed: readonly ErrorClass[]): T | Error {
  try {
    return run();
  } catch (error) {
    return allowedOrThrow(error, allowed);
  }
}

/** The same for what takes its time. */
export async function settledAnswerOf<T>(
  run: () => Promise<T>,
  ...allowed: readonly ErrorClass[]
): Promise<T | Error> {
  try {
    return await run();
  } catch (error) {
    return allowedOrThrow(error, allowed);
  }
}

function allowedOrThrow(error: unknown, allowed: readonly ErrorClass[]): Error {
  if (error instanceof Error && allowed.some((each) => error instanceof each)) return error;
  throw error;
}

/** Throws unless the condition holds. */
export function insist(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}
