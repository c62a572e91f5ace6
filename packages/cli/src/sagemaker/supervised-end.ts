import { type ModelServer, parseBridgeSettings, startModelServer } from '@kikitori/bridge';
import { servedModels } from '@kikitori/client';
import { abortable, type Logger } from '@kikitori/core';
import { DEFAULT_HOST } from '@kikitori/server';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { freePort } from '../free-ports.js';
import { MODEL_START_MS } from '../limits.js';
import { remark } from '../terminal/beside.js';
import { clockTime } from '../terminal/figures.js';
import { WaitingRow } from '../terminal/waiting-row.js';
import { OutputTail } from './output-tail.js';
import { type Answering, answeringOf, type PathEnd } from './path-end.js';

/** What to run at the end of the path. */
export interface SupervisedEndOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** As of the bridge: `vllm`, `none`. */
  readonly execArguments: string | undefined;
  /** Where it will listen; 0: any that is free. */
  readonly port: number;
  /** Show what it writes, as it is. */
  readonly isOutputShown: boolean;
  readonly logger: Logger;
}

type Settings = NonNullable<ReturnType<typeof parseBridgeSettings>['modelServer']>;

/**
 * A model server that we run, as the bridge of a container does: the same command line, the same restarts. What it writes
 * is kept back, but for its end where it does not come up.
 */
export class SupervisedEnd implements PathEnd {
  readonly realtimeUrl: string;
  readonly port: number;
  readonly doing = 'starting the model server';
  readonly startMsMax = MODEL_START_MS;
  readonly lost: Promise<never>;
  readonly #settings: Settings;
  readonly #options: SupervisedEndOptions;
  readonly #context: Context;
  readonly #tail = new OutputTail();
  #lose: (error: unknown) => void = () => undefined;
  #isUp: () => void = () => undefined;
  #server: ModelServer | undefined;
  #row: WaitingRow | undefined;
  #isClosed = false;

  private constructor(port: number, options: SupervisedEndOptions, context: Context) {
    this.port = port;
    this.realtimeUrl = `ws://${DEFAULT_HOST}:${port}/v1/realtime`;
    this.#options = options;
    this.#context = context;
    this.#settings = settingsOf(this.realtimeUrl, options, context);
    this.lost = new Promise<never>((_resolve, reject) => {
      this.#lose = reject;
    });
    // It may be lost before anybody looks.
    this.lost.catch(() => undefined);
  }

  /** Runs nothing yet. Throws `BridgeError` `invalid_option`. */
  static async open(options: SupervisedEndOptions, context: Context): Promise<SupervisedEnd> {
    const port = options.port === 0 ? await freePort() : options.port;
    return new SupervisedEnd(port, options, context);
  }

  isLoading(): boolean {
    return this.#server?.state !== 'ready';
  }

  async start(signal: AbortSignal): Promise<Answering> {
    const { isOutputShown, logger } = this.#options;
    const isUp = new Promise<void>((resolve) => {
      this.#isUp = resolve;
    });
    const write = (line: string): void => {
      if (isOutputShown) this.#context.stderr.write(`${line}\n`);
    };
    const server = startModelServer(this.#settings, {
      upstream: this.realtimeUrl,
      logger,
      onOutput: (bytes) => {
        for (const line of this.#tail.take(bytes)) write(line);
      },
      onState: (state) => {
        if (state === 'ready') this.#onReady();
        else this.#onNotReady(state === 'loading' ? 'Loading the model' : 'The model server ended');
      },
    });
    this.#server = server;
    server.ended.catch((error: unknown) => this.#onLost(error));
    await abortable(Promise.race([isUp, this.lost]), signal);
    const [model] = await servedModels(this.realtimeUrl, { signal });
    return answeringOf(model, 'run by this command');
  }

  #onReady(): void {
    const row = this.#row;
    this.#closeRow();
    if (row !== undefined && (this.#server?.starts ?? 1) > 1) {
      remark(`The model is in service again, after ${clockTime(row.elapsedMs)}.`, this.#context.stderr);
    }
    this.#isUp();
  }

  #onNotReady(label: string): void {
    if (this.#isClosed) return;
    this.#row ??= new WaitingRow(label, this.#context, () => this.#tail.last);
    this.#row.label = label;
  }

  #onLost(error: unknown): void {
    this.#closeRow();
    if (!this.#options.isOutputShown && !this.#isClosed) {
      for (const line of this.#tail.lines) this.#context.stderr.write(`  ${line}\n`);
    }
    this.#lose(error);
  }

  #closeRow(): void {
    this.#row?.close();
    this.#row = undefined;
  }

  async drain(): Promise<void> {
    // It answers until the bridge has drained.
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closeRow();
    await this.#server?.stop();
  }
}

/** As a container would run it: `SM_VLLM_*`, and how often it is started again; here not at all before it was ever up. */
function settingsOf(upstream: string, options: SupervisedEndOptions, { env }: Context): Settings {
  const { command, execArguments } = options;
  const ofContainer = Object.entries(env).filter(([name]) => !name.startsWith('KIKITORI_BRIDGE_'));
  const style = execArguments === undefined ? [] : ['--exec-arguments', execArguments];
  const { modelServer } = parseBridgeSettings(
    ['--upstream', upstream, ...style, '--exec', '--', ...command],
    {
      PROCESS_MAX_START_RETRIES: '0',
      ...Object.fromEntries(ofContainer),
    },
  );
  if (modelServer === undefined) throw new CliError('usage', '--exec needs the command to run behind --.');
  return modelServer;
}
