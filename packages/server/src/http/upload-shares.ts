import type { HttpError } from '../errors.js';
import type { HttpLimits } from '../limits.js';
import type { Place } from '../places.js';

const FULL: HttpError = {
  status: 503,
  message:
    'As many files as this server keeps at once are being sent. Try again later, or send it to another server.',
};
const OWNER_FULL: HttpError = {
  status: 429,
  message:
    'As many files as one key or address may send at once are being sent. Wait until one of them is answered.',
};

/** Counts uploads from their head to their answer, since each may have a file on the disk: in all, and by whoever sends them. */
export class UploadShares {
  readonly #limits: HttpLimits;
  readonly #byOwner = new Map<string, number>();
  #taken = 0;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  /** Takes a share, or says why there is none. */
  take(owner: string): Place | HttpError {
    const own = this.#byOwner.get(owner) ?? 0;
    if (own >= this.#limits.uploadsPerOwnerMax) return OWNER_FULL;
    if (this.#taken >= this.#limits.uploadsMax) return FULL;
    this.#change(owner, 1);
    let isHeld = true;
    return {
      free: () => {
        if (isHeld) this.#change(owner, -1);
        isHeld = false;
      },
    };
  }

  #change(owner: string, by: 1 | -1): void {
    this.#taken += by;
    const own = (this.#byOwner.get(owner) ?? 0) + by;
    if (own > 0) this.#byOwner.set(owner, own);
    else this.#byOwner.delete(owner);
  }
}
