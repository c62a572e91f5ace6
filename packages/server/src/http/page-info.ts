import type { SpeechEngine } from '@kikitori/engine';
import type { SessionLimits } from '../limits.js';
import type { RelayTarget } from '../relay/relay-host.js';
import { sendJson } from './answers.js';
import type { Route } from './router.js';

/** What a page is told before it has a key. */
export interface PageInfoOptions {
  readonly answerer: { readonly engine: SpeechEngine } | { readonly relay: RelayTarget };
  /** Names given by the operator; undefined: the engine's own. */
  readonly models: readonly string[] | undefined;
  readonly isGuarded: boolean;
  readonly placesMax: number;
  readonly limits: SessionLimits;
}

/** `GET /v1/page`: who listens, whether a key is needed, and for how long. Public; holds nothing secret. */
export function pageInfoRoutes(options: PageInfoOptions): Readonly<Record<string, Route>> {
  const body = pageInfo(options);
  const headers = { 'cache-control': 'no-store' };
  return {
    '/v1/page': {
      guarded: false,
      methods: { GET: (_request, response) => sendJson(response, 200, body, headers) },
    },
  };
}

function pageInfo({ answerer, models, isGuarded, placesMax, limits }: PageInfoOptions): unknown {
  const isRelay = 'relay' in answerer;
  return {
    models: models ?? (isRelay ? [] : [answerer.engine.info.model]),
    // BCP 47 tags; empty: not known, as mostly behind a relay.
    languages: isRelay ? (answerer.relay.languages ?? []) : answerer.engine.info.languages,
    needs_key: isGuarded,
    answered_by: isRelay ? 'relay' : 'engine',
    // In words, such as "the SageMaker endpoint demo".
    relay: isRelay ? (answerer.relay.label ?? null) : null,
    places: placesMax,
    idle_timeout_ms: limits.idleTimeoutMs,
    session_ms_max: limits.sessionMsMax,
  };
}
