/** Where captions are read. */
export interface ShareLinks {
  /** For readers: one for each address that they may reach, the likeliest first. */
  readonly room: readonly string[];
  /** For OBS on this computer. */
  readonly overlay: string;
  /** No other device reaches any of them. */
  readonly isHereOnly: boolean;
}

/** This computer's names for itself, which mean another one everywhere else. */
const OWN_NAME = /^(?:localhost|.*\.localhost|127\.[\d.]+|\[::1\])$/;

/**
 * Links for readers. What the speaker's own page was opened at is where others find it as well, be it the name of a proxy; unless
 * that is this computer's name for itself: then the addresses that the server knows of stand in its place.
 */
export function shareLinks(page: string, addresses: readonly string[], readerSecret: string): ShareLinks {
  const isOwnName = OWN_NAME.test(new URL(page).hostname);
  const bases = isOwnName ? addresses : [];
  const link = (base: string, query = ''): string => new URL(`captions${query}#k=${readerSecret}`, base).href;
  return {
    room: (bases.length === 0 ? [page] : bases).map((base) => link(base)),
    overlay: link(page, '?view=overlay'),
    isHereOnly: isOwnName && bases.length === 0,
  };
}
