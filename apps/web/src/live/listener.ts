import { timerMs } from '@kikitori/core';
import { WEB_LIMITS } from './limits.js';

/** Who listens on the server's side, as the server tells everybody (`GET /v1/page`). */
export interface Listener {
  /** Names of models; the first one answers. Empty when the server behind ours decides. */
  readonly models: readonly string[];
  /** BCP 47 tags of the languages that it hears; empty when nobody here knows. */
  readonly languages: readonly string[];
  /** An API key is set on the server: connections need a token. */
  readonly needsKey: boolean;
  /** The server that sessions are relayed to, in words; undefined: this server's own engine. */
  readonly relay: string | undefined;
}

/** Nobody yet: the model is being fetched or loaded, or the server that has it is away. */
export interface LoadingModel {
  /** 0…1 of what is fetched; undefined: nothing is, it is loaded. */
  readonly fetchedShare: number | undefined;
  /** The server behind ours is not there. */
  readonly isAway: boolean;
}

/** Whom to tell, and until when. */
export interface AwaitListenerOptions {
  /** Called for each answer, and with undefined when nobody has answered. */
  readonly onAnswer: (answer: Listener | LoadingModel | undefined) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly fetch?: typeof globalThis.fetch;
  /** Waits; ends early, without a rejection, when the signal fires. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Asks who listens until somebody says so. While a model is being loaded at one pace; while nobody answers a little later each
 * time; not while the page is hidden, and so often at most as `WEB_LIMITS` says. Never rejects.
 */
export async function awaitListener(options: AwaitListenerOptions): Promise<void> {
  const { onAnswer, signal, fetch = globalThis.fetch.bind(globalThis), sleep = sleepUntil } = options;
  let [failures, loads] = [0, 0];
  while (!signal.aborted) {
    const answer = await fetchListener(fetch, signal);
    if (signal.aborted) return;
    onAnswer(answer);
    if (isListener(answer)) return;
    if (answer === undefined) failures += 1;
    else [failures, loads] = [0, loads + 1];
    if (failures === WEB_LIMITS.listenerTriesMax || loads === WEB_LIMITS.loadingTriesMax) return;
    const retryMs = Math.min(WEB_LIMITS.listenerRetryMsMax, 1_000 * 2 ** Math.min(failures - 1, 10));
    await sleep(answer === undefined ? retryMs : WEB_LIMITS.loadingEveryMs, signal);
    await seen(signal);
  }
}

/** Somebody listens. */
export function isListener(answer: Listener | LoadingModel | undefined): answer is Listener {
  return answer !== undefined && 'models' in answer;
}

/** Undefined when nobody answers, or not what we know. */
async function fetchListener(
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<Listener | LoadingModel | undefined> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), WEB_LIMITS.listenerTimeoutMs);
  signal.addEventListener('abort', () => over.abort(), { signal: over.signal });
  try {
    const response = await fetch('v1/page', { signal: over.signal });
    if (response.ok) {
      const body: unknown = await response.json();
      return isMissing(body) ? { fetchedShare: undefined, isAway: true } : readListener(body);
    }
    return response.status === 503 ? readLoading(await response.json()) : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** Nobody who does not look needs an answer. */
async function seen(signal: AbortSignal): Promise<void> {
  while (document.visibilityState === 'hidden' && !signal.aborted) {
    await new Promise<void>((resolve) => {
      const given = new AbortController();
      const end = (): void => {
        given.abort();
        resolve();
      };
      document.addEventListener('visibilitychange', end, { signal: given.signal });
      signal.addEventListener('abort', end, { signal: given.signal });
    });
  }
}

async function sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const given = new AbortController();
    const end = (): void => {
      given.abort();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, timerMs(ms));
    signal.addEventListener('abort', end, { signal: given.signal });
  });
}

function readLoading(body: unknown): LoadingModel | undefined {
  if (typeof body !== 'object' || body === null || !('loading' in body)) return undefined;
  const { loading } = body;
  if (typeof loading !== 'object' || loading === null) return undefined;
  const received = 'received_bytes' in loading ? Number(loading.received_bytes) : Number.NaN;
  const total = 'total_bytes' in loading ? Number(loading.total_bytes) : Number.NaN;
  const fetchedShare = total > 0 && received >= 0 ? Math.min(1, received / total) : undefined;
  return { fetchedShare, isAway: isMissing(body) };
}

/** What answers the server is away, and it says so. */
function isMissing(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'missing' in body && typeof body.missing === 'string';
}

function readListener(body: unknown): Listener | undefined {
  if (typeof body !== 'object' || body === null || !('models' in body) || !Array.isArray(body.models)) {
    return undefined;
  }
  const isRelay = 'answered_by' in body && body.answered_by === 'relay';
  const label = 'relay' in body && typeof body.relay === 'string' ? body.relay : '';
  return {
    models: body.models.filter((name) => typeof name === 'string'),
    languages: 'languages' in body && Array.isArray(body.languages) ? body.languages.filter(isTag) : [],
    needsKey: 'needs_key' in body && body.needs_key === true,
    relay: isRelay ? label : undefined,
  };
}

/** Something that the browser can name: a server may be newer, or none of ours. */
function isTag(tag: unknown): tag is string {
  return typeof tag === 'string' && /^[a-z]{2,3}(?:-[a-z0-9]{1,8})*$/i.test(tag);
}
