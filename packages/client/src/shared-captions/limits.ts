/** Bounds of who reads shared captions that are not of the wire; those of publishers are in `../limits.ts`. */

/** Utterances that a reader keeps; more than the server does. Then: the oldest are forgotten. */
export const VIEW_UTTERANCES_MAX = 2_000;
