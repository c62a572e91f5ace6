import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Logger } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import type { Connection } from '@kikitori/transport';
import { refuseDeepgram } from './dialects/deepgram/failures.js';
import { DeepgramFileExchange } from './dialects/deepgram/file-exchange.js';
import type { Dialect } from './dialects/dialect.js';
import type { HttpError } from './errors.js';
import { sendError } from './http/answers.js';
import { discardBody } from './http/discard-body.js';
import { modelRoutes } from './http/models.js';
import type { Handler, Route } from './http/router.js';
import { TranscriptionExchange, type UploadReader } from './http/transcription-exchange.js';
import { Transcriptions } from './http/transcriptions.js';
import { readUploadBody } from './http/upload-body.js';
import { readUploadForm } from './http/upload-form.js';
import type { HttpLimits, SessionLimits } from './limits.js';
import type { ServerMetrics } from './metrics.js';
import { ModelNames } from './model-aliases.js';
import type { Place } from './places.js';
import { type Claimed, type Session, startSession } from './session/serve-connection.js';
import type { SessionHost } from './session-host.js';
import type { Upstream } from './upstream.js';

/** What a host over an engine needs. */
export interface EngineHostOptions {
  /** Stays the caller's. */
  readonly engine: SpeechEngine;
  readonly models: readonly string[];
  /** What is behind the engine, where something is. */
  readonly upstream: Upstream | undefined;
  readonly dialects: readonly Dialect[];
  readonly limits: SessionLimits;
  readonly httpLimits: HttpLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
  /** Counts an upload from its head to its answer, or says why it may not come. */
  readonly enterUpload: (request: IncomingMessage) => Place | HttpError;
  /** Takes a place for one file that is about to be decoded, or says why there is none. */
  readonly takePlace: () => Place | HttpError;
}

const NO_TRANSLATION: HttpError = {
  status: 404,
  message:
    'Nothing is translated here. POST /v1/audio/transcriptions gives the text in the language that is spoken.',
};

/** Sessions and files answered by an engine. */
export class EngineHost implements SessionHost {
  readonly routes: Readonly<Record<string, Route>>;
  readonly #options: EngineHostOptions;
  readonly #names: ModelNames;
  readonly #transcriptions: Transcriptions;
  #isGone = false;

  constructor(options: EngineHostOptions) {
    const { engine, models, upstream, httpLimits, clock, logger } = options;
    this.#options = options;
    this.#names = new ModelNames(models, logger);
    this.#transcriptions = new Transcriptions({
      ...options,
      models: this.#names,
      limits: httpLimits,
      onEngineClosed: () => this.#noteGone(),
    });
    const { model: root, languages } = engine.info;
    const createdS = Math.floor(clock.unixMs() / 1000);
    const served = { root, languages, createdS, maxModelLen: upstream?.maxModelLen ?? null };
    this.routes = {
      ...modelRoutes(this.#names, served),
      '/v1/audio/transcriptions': {
        guarded: true,
        methods: { POST: this.#transcribe(readUploadForm) },
      },
      // Deepgram's; its WebSocket is at the same path.
      '/v1/listen': {
        guarded: true,
        refuse: refuseDeepgram,
        methods: {
          POST: (request, response) => {
            const exchange = new DeepgramFileExchange({ request, response, clock });
            return this.#transcriptions.handle(request, response, exchange);
          },
        },
      },
      // SageMaker's InvokeEndpoint.
      '/invocations': {
        guarded: true,
        methods: { POST: this.#transcribe(readUploadBody) },
      },
      '/v1/audio/translations': {
        guarded: true,
        methods: { POST: (request, response) => this.#refuseTranslation(request, response) },
      },
    };
  }

  get placesMax(): number {
    return this.#options.engine.info.streamsMax;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  startSession(connection: Connection, claimed: Claimed): Session {
    const { engine, models, dialects, limits, clock, logger, metrics } = this.#options;
    const onEngineClosed = (): void => this.#noteGone();
    const takePlaces = (count: number): (() => void) | undefined => this.#takePlaces(count);
    return startSession(connection, {
      engine,
      models,
      claimed,
      dialects,
      limits,
      clock,
      logger,
      metrics,
      onModelAsked: (name) => void this.#names.find(name),
      onEngineClosed,
      takePlaces,
    });
  }

  /** All of them or none. */
  #takePlaces(count: number): (() => void) | undefined {
    const taken: Place[] = [];
    const free = (): void => {
      for (const place of taken) place.free();
    };
    while (taken.length < count) {
      const place = this.#options.takePlace();
      if ('free' in place) taken.push(place);
      else {
        free();
        return undefined;
      }
    }
    return free;
  }

  abort(): void {
    this.#transcriptions.abort();
  }

  idle(): Promise<void> {
    return this.#transcriptions.idle();
  }

  /** Answers a file that `read` finds. */
  #transcribe(read: UploadReader): Handler {
    const { clock } = this.#options;
    return (request, response) =>
      this.#transcriptions.handle(
        request,
        response,
        new TranscriptionExchange({ request, response, clock, read }),
      );
  }

  async #refuseTranslation(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, httpLimits: limits } = this.#options;
    await discardBody(request, { clock, limits });
    sendError(response, NO_TRANSLATION);
  }

  #noteGone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#options.logger.error(
      'The engine is closed: this server can answer nobody any more. Start it again.',
    );
  }
}
