import type { ServedModel } from '@kikitori/client';
import type { LocalPageOptions } from './local-page.js';

/** What answers at the end of the path, once it does. */
export interface Answering {
  readonly model: LocalPageOptions['model'];
  /** For people: the model's name, and what there is to say about it. */
  readonly description: string;
}

/** Who answers what the bridge on this machine passes on: an engine here, a model server that we run, or another server. */
export interface PathEnd {
  /** Where the bridge leads. */
  readonly realtimeUrl: string;
  /** The port of this machine that it takes, or will take. */
  readonly port: number | undefined;
  /** What is done until it answers: `loading the model`. */
  readonly doing: string;
  /** How long that may take. Then: the endpoint has failed. Undefined: as SageMaker. */
  readonly startMsMax: number | undefined;
  /** Rejects once it is gone for good; never resolves. */
  readonly lost: Promise<never>;
  /** Whether the model is being loaded, as far as is known. */
  isLoading(): boolean;
  /** Gets it ready; once. Rejects where it cannot be, or with the signal's reason. */
  start(signal: AbortSignal): Promise<Answering>;
  /** Nobody new, and what is being said is answered. Nothing where the bridge in front does that. Idempotent. */
  drain(): Promise<void>;
  /** Ends now. Idempotent. */
  close(): Promise<void>;
}

/** For an end that is not lost before it is closed. */
export const neverLost = new Promise<never>(() => undefined);

/** A model that another server serves. `what` it is: `of another server`. */
export function answeringOf({ id, languages, maxModelLen }: ServedModel, what: string): Answering {
  const limit = maxModelLen === undefined ? '' : `, max_model_len ${maxModelLen}`;
  return { model: { model: id, languages, maxModelLen }, description: `${id}, ${what}${limit}` };
}
