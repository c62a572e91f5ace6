import type { SpeechEngine } from '@kikitori/engine';
import type { SessionLimits } from '../limits.js';
import type { Upstream } from '../upstream.js';
import { sendJson } from './answers.js';
import type { Route } from './router.js';

/** What a page is told before it has a key. */
export interface PageInfoOptions {
  readonly engine: SpeechEngine;
  /** The model server behind the engine, where there is one. */
  readonly upstream: Upstream | undefined;
  /** Names given by the operator; undefined: the engine's own. */
  readonly models: readonly string[] | undefined;
  readonly isGuarded: boolean;
  readonly placesMax: number;
  readonly limits: SessionLimits;
}

/** `GET /v1/page`: who listens, whether a key is needed, and for how long. Public; holds nothing secret. */
export function pageInfoRoutes(options: PageInfoOptions): Readonly<Record<string, Route>> {
  const headers = { 'cache-control': 'no-store' };
  return {
    '/v1/page': {
      guarded: false,
      methods: { GET: (_request, response) => sendJson(response, 200, pageInfo(options), headers) },
    },
  };
}

function pageInfo({ engine, upstream, models, isGuarded, placesMax, limits }: PageInfoOptions): unknown {
  return {
    models: models ?? [engine.info.model],
    // BCP 47 tags; empty: not known, as mostly behind another server.
    languages: engine.info.languages,
    needs_key: isGuarded,
    answered_by: upstream === undefined ? 'engine' : 'relay',
    // In words, such as "the SageMaker endpoint demo".
    relay: upstream?.label ?? null,
    // Why nobody can be answered now; null: everybody can.
    missing: upstream?.missing ?? null,
    places: placesMax,
    idle_timeout_ms: limits.idleTimeoutMs,
    session_ms_max: limits.sessionMsMax,
  };
}
