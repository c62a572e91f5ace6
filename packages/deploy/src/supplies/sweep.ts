import type { Place } from '../names.js';
import type { LifecycleOptions } from '../progress.js';
import type { ModelUse } from './model-users.js';

/** Whose image and weights are looked at, and what becomes of them. */
export interface SweepOptions extends LifecycleOptions {
  readonly endpointName: string;
  readonly place: Place;
  /** Remove what only this endpoint uses. Else: list it. */
  readonly isAll: boolean;
  /** What models use, asked once and only where it matters; undefined where it cannot be told. */
  readonly uses: () => Promise<readonly ModelUse[] | undefined>;
}
