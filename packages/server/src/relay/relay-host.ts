import type { Clock, Logger } from '@kikitori/core';
import { checkEndpointRules, type EndpointRule } from '@kikitori/engine';
import type { Connect, Connection } from '@kikitori/transport';
import type { Dialect } from '../dialects/dialect.js';
import { vllm } from '../dialects/vllm/vllm.js';
import { sendJson } from '../http/answers.js';
import { modelList } from '../http/models.js';
import type { Route } from '../http/router.js';
import { RELAY_LIMITS, type SessionLimits } from '../limits.js';
import type { ServerMetrics } from '../metrics.js';
import type { HostedSession, SessionHost } from '../session-host.js';
import { RELAY_ENDPOINT_RULES } from './relay-rules.js';
import { startRelaySession } from './relay-session.js';

/** Another Realtime server that answers instead of an engine here. */
export interface RelayTarget {
  /** Opens the way to it; asked once for each session. */
  readonly connect: Connect;
  /** Where to, for a `connect` that has to be told. */
  readonly url?: string;
  /** What people are told it is, such as `the SageMaker endpoint demo`; public. */
  readonly label?: string;
  /** BCP 47 tags of the languages that its model hears, where that is known; then `/v1/page` and `/v1/models` say them. */
  readonly languages?: readonly string[];
  /** Sessions at once. Default `RELAY_LIMITS.sessionsMax`. */
  readonly sessionsMax?: number;
  /**
   * When an utterance of a model ends that ends none by itself, as vLLM's: for clients that ask for words. Default
   * `RELAY_ENDPOINT_RULES`.
   */
  readonly endpointRules?: readonly EndpointRule[];
}

/** What a host over another server needs. */
export interface RelayHostOptions {
  readonly relay: RelayTarget;
  /** What `/v1/models` lists; the other server is not asked. */
  readonly models: readonly string[];
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
}

// A `connect` that knows where to go still gets a well-formed address.
const PLACELESS_URL = 'ws://localhost/v1/realtime';

/** Sessions answered somewhere else. Files are not: such a way carries sessions alone. */
export class RelayHost implements SessionHost {
  readonly placesMax: number;
  readonly isGone = false;
  readonly routes: Readonly<Record<string, Route>>;
  readonly #options: RelayHostOptions;

  /** Throws RangeError for rules that cannot do their work. */
  constructor(options: RelayHostOptions) {
    const { relay, models, clock } = options;
    checkEndpointRules(relay.endpointRules ?? RELAY_ENDPOINT_RULES);
    this.#options = options;
    this.placesMax = relay.sessionsMax ?? RELAY_LIMITS.sessionsMax;
    const { languages = [] } = relay;
    const served = { root: null, languages, createdS: Math.floor(clock.unixMs() / 1000) };
    this.routes = {
      '/v1/models': {
        guarded: true,
        methods: { GET: (_request, response) => sendJson(response, 200, modelList(models, served)) },
      },
    };
  }

  /** Messages are carried as they are, so only what the other server speaks can be answered. */
  speaks(dialect: Dialect): boolean {
    return dialect === vllm;
  }

  startSession(connection: Connection): HostedSession {
    const { relay, limits, clock, logger, metrics } = this.#options;
    return startRelaySession({
      connection,
      connect: relay.connect,
      url: relay.url ?? PLACELESS_URL,
      rules: relay.endpointRules ?? RELAY_ENDPOINT_RULES,
      limits,
      clock,
      logger,
      onUpstreamFailure: (code) => metrics.upstreamFailures.inc({ code }),
    });
  }

  abort(): void {
    // There is nothing but sessions.
  }

  async idle(): Promise<void> {
    // There is nothing but sessions.
  }
}
