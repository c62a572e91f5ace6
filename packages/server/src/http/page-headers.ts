/**
 * What a browser is told about every page and everything a page is made of. Nothing but what this server serves is
 * ever loaded or contacted, nobody may put a page into a frame, and of the powers of a browser a page has the
 * microphone, the sound of another tab, and keeping the screen on.
 */
const SAME_FOR_ALL: Readonly<Record<string, string>> = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'microphone=(self), display-capture=(self), screen-wake-lock=(self), clipboard-write=(self), fullscreen=(self), camera=(), geolocation=(), payment=(), usb=(), serial=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** A host that may stand in a policy: a name or an address, and a port. */
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * Headers for an answer. `host` is the request's: `'self'` covers WebSockets to it only in newer browsers, so they are
 * named as well; one that is not well-formed is left out.
 */
export function pageHeaders(host: string | undefined): Readonly<Record<string, string>> {
  return { ...SAME_FOR_ALL, 'content-security-policy': contentSecurityPolicy(host) };
}

function contentSecurityPolicy(host: string | undefined): string {
  const sockets = host !== undefined && HOST.test(host) ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self'${sockets}`,
    "worker-src 'self'",
    "img-src 'self' data:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
