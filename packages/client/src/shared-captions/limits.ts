/** Bounds of shared captions that are not of the wire, beside those of publishers in `../limits.ts`. */

/** Utterances that a reader keeps; more than the server does. Then: the oldest are forgotten. */
export const VIEW_UTTERANCES_MAX = 2_000;

/** Addresses of a server that a publisher is told; a machine has a few. Then: the first ones. */
export const ADDRESSES_MAX = 16;
