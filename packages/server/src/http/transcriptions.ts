import type { IncomingMessage, ServerResponse } from 'node:http';
import { AUDIO_ERRORS, AudioError } from '@kikitori/audio';
import type { ChannelWish } from '@kikitori/audio/channels';
import { type DecodedFile, decodeFile } from '@kikitori/audio/file';
import { type Clock, isDiskFull, type Logger } from '@kikitori/core';
import { EngineError, type SpeechEngine } from '@kikitori/engine';
import { CLIENT_LEFT, type HttpError, refusal, ServerError } from '../errors.js';
import type { HttpLimits } from '../limits.js';
import type { ServerMetrics } from '../metrics.js';
import type { ModelNames } from '../model-aliases.js';
import type { Place } from '../places.js';
import { discardBody } from './discard-body.js';
import type { FileExchange, FileWishes, Served, Transcribed } from './file-exchange.js';
import { type FileWords, hearFile } from './hear-file.js';
import type { UploadedFile, UploadForm } from './upload-form.js';
import { keepError } from './upload-spool.js';

export interface TranscriptionsOptions {
  readonly engine: SpeechEngine;
  readonly models: ModelNames;
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
  /** Counts an upload from its head to its answer, or says why it may not come. */
  readonly enterUpload: (request: IncomingMessage) => Place | HttpError;
  /** Takes a place for one file that is about to be decoded, or says why there is none. */
  readonly takePlace: () => Place | HttpError;
  readonly onEngineClosed: () => void;
}

/** A request that was let in. */
interface Upload {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: FileExchange;
  readonly entry: Place;
  readonly controller: AbortController;
}

/** What a form's file is recognised for. */
interface Job {
  readonly exchange: FileExchange;
  readonly served: Served;
  readonly takePlace: () => void;
  readonly signal: AbortSignal;
}

/** What of a file is decoded. */
interface Decoding {
  readonly file: UploadedFile;
  /** While it is still being sent. */
  readonly isComing: boolean;
  readonly channels: ChannelWish;
  readonly wishes: FileWishes;
}

/** Files that are being recognised, whoever sends them: `POST /v1/audio/transcriptions` and its like. */
export class Transcriptions {
  readonly #options: TranscriptionsOptions;
  readonly #running = new Map<AbortController, Promise<void>>();

  constructor(options: TranscriptionsOptions) {
    this.#options = options;
  }

  /** Settles when no file is being transcribed. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /** Ends every running one with 503. */
  abort(): void {
    const reason = refusal(503, 'The server is going down. Send the file again to another one.');
    for (const controller of this.#running.keys()) controller.abort(reason);
  }

  /** Answers one request as `exchange` has it; never rejects for what a client or an engine does. */
  async handle(request: IncomingMessage, response: ServerResponse, exchange: FileExchange): Promise<void> {
    const entry = this.#options.enterUpload(request);
    if (!('free' in entry)) {
      await discardBody(request, this.#options);
      this.#count(entry.status);
      exchange.fail(entry);
      return;
    }
    const controller = new AbortController();
    const job = this.#run({ request, response, exchange, entry, controller }).finally(() => {
      this.#running.delete(controller);
    });
    this.#running.set(controller, job);
    await job;
  }

  async #run(upload: Upload): Promise<void> {
    const { request, response, exchange, entry, controller } = upload;
    const { clock, limits } = this.#options;
    const { signal } = controller;
    const { socket } = request;
    // Once all of it has come nothing would tell of a client that vanished, for as long as its file is recognised.
    socket.setKeepAlive(true, limits.vanishedProbeMs);
    const left = (): void => controller.abort(refusal(CLIENT_LEFT, 'The client left.'));
    response.once('close', left);
    const late = refusal(408, 'The file took too long. Send a shorter one.');
    const cancel = clock.after(limits.fileMsMax, () => controller.abort(late));
    try {
      const transcribed = await this.#transcribe(upload);
      // Before the answer: whoever has it may send the next file at once.
      entry.free();
      exchange.end(transcribed);
      this.#count(200);
    } catch (error) {
      entry.free();
      const failure = signal.aborted ? signal.reason : error;
      const told = this.#told(failure);
      this.#count(told.status);
      controller.abort(failure);
      if (told.status !== CLIENT_LEFT) {
        await discardBody(request, this.#options);
        exchange.fail(told);
      }
    } finally {
      response.off('close', left);
      cancel();
      socket.setKeepAlive(false);
    }
  }

  /** What was heard; when it settles the place is free and the file is gone. */
  async #transcribe({ exchange, controller }: Upload): Promise<Transcribed> {
    const { signal } = controller;
    const { clock, engine, limits, models } = this.#options;
    const served = { models, languages: engine.info.languages };
    const form = exchange.read({ limits, clock, signal });
    form.fields.catch((error: unknown) => controller.abort(error));
    let place: Place | undefined;
    const takePlace = (): void => {
      place ??= this.#takePlace();
    };
    try {
      const transcribed = await this.#recognise(form, { exchange, served, takePlace, signal });
      exchange.understand(await form.fields, served);
      return transcribed;
    } catch (error) {
      // Now: closing the form makes it fail, too.
      controller.abort(error);
      throw error;
    } finally {
      place?.free();
      await form.close();
    }
  }

  /**
   * Decodes and recognises the file of a form: once the form is whole, so that nobody holds a place who sends slowly; or,
   * where its first fields ask for a stream, as it comes. The place is taken when all that a decoder needs is there.
   */
  async #recognise(form: UploadForm, job: Job): Promise<Transcribed> {
    const { exchange, served, signal } = job;
    const { clock, engine, metrics } = this.#options;
    const file = await form.file;
    // A field may come behind the file; those in front of it can already be wrong.
    const early = exchange.understand(form.fieldsSoFar, served);
    if (early.stream) exchange.begin();
    const wishes = early.stream ? early : exchange.understand(await form.fields, served);
    const { channels: wish } = wishes;
    const startedMs = clock.nowMs();
    const open = async (channels: ChannelWish): Promise<DecodedFile> => {
      const isFirst = channels === wish;
      const audio = await this.#decode({ file, isComing: early.stream && isFirst, channels, wishes }, job);
      // What is streamed is recognised as it comes; but channels are heard one after the other, and found only in a whole file.
      if (!early.stream || !isFirst || audio.channels === 1 || channels === 'mix') return audio;
      await audio.close();
      await form.fields;
      return await this.#decode({ file, isComing: false, channels, wishes }, job);
    };
    const onWords = (said: FileWords): void => {
      metrics.words.inc({ source: 'file' }, said.words.length);
      exchange.say(said);
    };
    const transcribed = await hearFile({ engine, wish, open, onWords, signal });
    metrics.audioS.inc({ source: 'file' }, transcribed.audioMs / 1000);
    if (transcribed.audioMs > 0) {
      const factor = (clock.nowMs() - startedMs) / transcribed.audioMs;
      metrics.realTimeFactor.observe({ source: 'file' }, factor);
    }
    return transcribed;
  }

  async #decode(
    { file, isComing, channels, wishes: { rawFormat } }: Decoding,
    { signal, takePlace }: Job,
  ): Promise<DecodedFile> {
    const { limits } = this.#options;
    return await decodeFile(isComing ? file.bytes() : file.path, {
      signal,
      channels,
      ...(rawFormat === undefined ? {} : { rawFormat }),
      maxDurationMs: limits.fileAudioMsMax,
      maxSamples: limits.fileSamplesMax,
      // Where the client named none, the temporary file's own name must not stand for it.
      fileName: file.name ?? '',
      beforeDecoding: takePlace,
    });
  }

  #takePlace(): Place {
    const place = this.#options.takePlace();
    if ('free' in place) return place;
    throw refusal(place.status, place.message);
  }

  #told(error: unknown): HttpError {
    if (error instanceof ServerError && error.answer !== undefined) {
      if (error.cause !== undefined) {
        const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined;
        const why = isDiskFull(error.cause)
          ? 'The temporary folder has no room for an upload; make some, or set TMPDIR to another one.'
          : 'The temporary folder cannot be written to; set TMPDIR to one that can.';
        this.#options.logger.error(why, { code: String(code) });
      }
      return error.answer;
    }
    // Of the same folder as the upload's: told in the same words.
    if (error instanceof AudioError && error.code === 'spool_failed') {
      return this.#told(keepError(error.cause));
    }
    if (error instanceof AudioError) {
      const { httpStatus } = AUDIO_ERRORS[error.code];
      // vLLM and OpenAI answer 400 to a file that they do not understand.
      const param = error.code === 'invalid_argument' ? 'channels' : 'file';
      return { status: httpStatus === 415 ? 400 : httpStatus, message: error.message, param };
    }
    if (error instanceof EngineError) return this.#toldOfEngine(error);
    this.#options.logger.error('A transcription failed.', {
      stack: error instanceof Error ? error.stack : undefined,
    });
    return { status: 500, message: 'The server failed to transcribe the file. Its log says why.' };
  }

  #toldOfEngine(error: EngineError): HttpError {
    this.#options.logger.warn('The engine failed a file.', { code: error.code });
    if (error.code === 'engine_closed') this.#options.onEngineClosed();
    const isBusy = error.code === 'engine_busy' || error.code === 'engine_closed';
    return { status: isBusy ? 503 : 500, message: error.message };
  }

  #count(status: number): void {
    this.#options.metrics.files.inc({ status: String(status) });
  }
}
