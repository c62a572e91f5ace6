/** One connection to the stand-in of vLLM: its events, their order, and the queue that its utterances share. */
import { randomBytes } from 'node:crypto';
import type { Connection } from '@kikitori/transport';
import { Generation, type Outcome } from './generation.js';
import { readJson, samplesOf, shown, validationError } from './python-answers.js';
import type { StandInTraits } from './stand-in.js';

/** What a session needs of its server. */
export interface SessionHost {
  /** What an utterance fails with from now on; undefined: the engine lives. */
  readonly whyDead: () => string | undefined;
  readonly onLimit: () => void;
}

type Fields = Readonly<Record<string, unknown>>;
type Load = 'idle' | 'waiting' | 'running';

/** The server counts samples by the size that a file may have. */
const APPEND_SAMPLES_MAX = 25 * 1024 * 1024;
const NOT_VALIDATED =
  'Model not validated. Make sure to validate the model by sending a session.update event.';

export class StandInSession {
  readonly #connection: Connection;
  readonly #traits: StandInTraits;
  readonly #host: SessionHost;
  readonly #ending = new AbortController();
  /** Audio and end markers that no utterance has taken; no bound, as in vLLM. */
  #queue: (Int16Array | 'end')[] = [];
  #generation: Generation | undefined;
  #isValidated = false;
  /** An utterance ended unasked, and the client may not know it yet: what it sends is no fault of its own. */
  #isExcused = false;

  constructor(connection: Connection, traits: StandInTraits, host: SessionHost) {
    this.#connection = connection;
    this.#traits = traits;
    this.#host = host;
  }

  get load(): Load {
    if (this.#generation === undefined) return 'idle';
    return this.#generation.isStepping ? 'running' : 'waiting';
  }

  /** Reads until the connection ends. */
  async run(): Promise<void> {
    const created = Math.floor(this.#traits.clock.unixMs() / 1_000);
    try {
      await this.#tell({ type: 'session.created', id: `sess-${randomBytes(8).toString('hex')}`, created });
      for await (const message of this.#connection.messages) {
        if (typeof message !== 'string') {
          // No word about it, and no close frame either.
          this.#connection.destroy();
          break;
        }
        await this.#read(message);
      }
    } catch {
      // The line was lost, or the server has ended.
    } finally {
      this.#ending.abort(new Error('The session has ended.'));
      this.#generation?.end();
      this.#generation = undefined;
    }
  }

  failUtterance(text: string): void {
    this.#generation?.fail(text);
  }

  close(code: number): Promise<void> {
    return this.#connection.close(code);
  }

  destroy(): void {
    this.#connection.destroy();
  }

  async #read(message: string): Promise<void> {
    const read = readJson(message);
    if ('error' in read) return await this.#refuse(read.error, read.code);
    const event = read.fields;
    switch (event['type']) {
      case 'session.update':
        return await this.#update(event);
      case 'input_audio_buffer.append':
        return await this.#append(event);
      case 'input_audio_buffer.commit':
        return await this.#commit(event);
      default:
        return await this.#refuse(`Unknown event type: ${shown(event['type'])}`, 'unknown_event');
    }
  }

  async #update(event: Fields): Promise<void> {
    const { model } = event;
    if (this.#traits.age === '0.17.1') {
      if (!('model' in event)) return await this.#refuse("'model'", 'processing_error');
    } else if (model === undefined || model === null) {
      return await this.#refuse('Missing required field: model', 'invalid_event');
    } else if (!this.#isServed(model)) {
      return await this.#refuse(`The model \`${shown(model)}\` does not exist.`, 'model_not_found');
    }
    this.#isValidated = true;
  }

  /** No name at all is as good as the right one. */
  #isServed(model: unknown): boolean {
    return !model || this.#traits.models.some((name) => name === model);
  }

  async #append(event: Fields): Promise<void> {
    const invalid = validationError('append', event, this.#traits.age);
    if (invalid !== undefined) return await this.#refuse(invalid, 'processing_error');
    const samples = samplesOf(String(event['audio']), this.#traits.age);
    if (samples === undefined || samples.length === 0 || samples.length > APPEND_SAMPLES_MAX) {
      return await this.#refuse('Invalid audio data', 'invalid_audio');
    }
    const generation = this.#generation;
    if (generation !== undefined && !generation.isEnded) {
      generation.hear(samples);
      return;
    }
    this.#flaw(generation === undefined ? 'audio outside of an utterance' : 'audio between final and done');
    this.#queue.push(samples);
  }

  async #commit(event: Fields): Promise<void> {
    if (!this.#isValidated) {
      await this.#refuse(NOT_VALIDATED, 'model_not_validated');
      // There it goes on as if nothing had been said.
      if (this.#traits.age !== '0.17.1') return;
    }
    const invalid = validationError('commit', event, this.#traits.age);
    if (invalid !== undefined) return await this.#refuse(invalid, 'processing_error');
    if (isTrue(event['final'])) this.#end();
    else this.#start();
  }

  #end(): void {
    const generation = this.#generation;
    if (generation !== undefined && !generation.isEnded) {
      generation.end();
      return;
    }
    this.#flaw(generation === undefined ? 'a final without an utterance' : 'a second final');
    this.#queue.push('end');
  }

  #start(): void {
    if (this.#generation !== undefined) {
      this.#flaw('a commit in a running utterance');
      return;
    }
    this.#isExcused = false;
    const generation = new Generation(this.#traits, {
      tell: (delta) => this.#tell({ type: 'transcription.delta', delta }),
      onLimit: this.#host.onLimit,
      signal: this.#ending.signal,
    });
    this.#generation = generation;
    while (!generation.isEnded && this.#queue.length > 0) {
      const next = this.#queue.shift();
      if (next === 'end') generation.end();
      else if (next !== undefined) generation.hear(next);
    }
    const whyDead = this.#host.whyDead();
    if (whyDead !== undefined) generation.fail(whyDead);
    void this.#generate(generation);
  }

  async #generate(generation: Generation): Promise<void> {
    try {
      const outcome = await generation.run();
      if (this.#generation !== generation) return;
      const told = this.#conclude(outcome);
      // Whoever is told may begin the next one.
      this.#generation = undefined;
      await told;
    } catch {
      // The session has ended meanwhile.
    }
  }

  #conclude(outcome: Outcome): Promise<void> {
    if (outcome.type === 'failed') {
      // What is in the queue stays there for the next utterance.
      this.#isExcused = true;
      return this.#tell({ type: 'error', error: outcome.text, code: 'processing_error' });
    }
    const { isUnasked, text, usage } = outcome;
    this.#isExcused = isUnasked;
    this.#queue = [];
    return this.#tell({ type: 'transcription.done', text, usage });
  }

  #refuse(error: string, code: string): Promise<void> {
    this.#flaw(`something that is answered with ${code}`);
    return this.#tell({ type: 'error', error, code });
  }

  #tell(event: Fields): Promise<void> {
    return this.#connection.send(JSON.stringify(event));
  }

  #flaw(what: string): void {
    if (!this.#isExcused) this.#traits.onFlaw(what);
  }
}

/** Of what has passed as a boolean. */
function isTrue(value: unknown): boolean {
  return value === true || value === 1 || ['1', 'on', 't', 'true', 'y', 'yes'].includes(lower(value));
}

function lower(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}
