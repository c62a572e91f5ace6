/** Who listens on the server's side, as the server tells everybody (`GET /v1/page`). */
export interface Listener {
  /** Names of models; the first one answers. Empty when the server behind ours decides. */
  readonly models: readonly string[];
  /** An API key is set on the server: connections need a token. */
  readonly needsKey: boolean;
  /** The server that sessions are relayed to, in words; undefined: this server's own engine. */
  readonly relay: string | undefined;
  /** Uploads are understood: only our own engine takes files. */
  readonly takesFiles: boolean;
}

const LISTENER_TIMEOUT_MS = 10_000;

/** Asks once. Undefined when nobody answers, or not what we know. */
export async function fetchListener(): Promise<Listener | undefined> {
  try {
    const response = await fetch('/v1/page', { signal: AbortSignal.timeout(LISTENER_TIMEOUT_MS) });
    return response.ok ? readListener(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}

function readListener(body: unknown): Listener | undefined {
  if (typeof body !== 'object' || body === null || !('models' in body) || !Array.isArray(body.models)) {
    return undefined;
  }
  const isRelay = 'answered_by' in body && body.answered_by === 'relay';
  const label = 'relay' in body && typeof body.relay === 'string' ? body.relay : '';
  return {
    models: body.models.filter((name) => typeof name === 'string'),
    needsKey: 'needs_key' in body && body.needs_key === true,
    relay: isRelay ? label : undefined,
    takesFiles: !isRelay,
  };
}
