/** Somebody at work on moto's AWS: types commands, and has a hub and a builder for them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aws } from '@kikitori/deploy';
import { main } from '../../packages/cli/src/main.js';
import { memoryContext } from '../../packages/cli/test/memory-context.js';
import { FakeHub, noiseFile, textFile } from '../../packages/deploy/test/fake-aws/fake-hub.js';
import { VirtualTime } from '../../packages/deploy/test/fake-aws/virtual-time.js';
import { StandInBuilders } from '../../packages/deploy/test/image/stand-in-builder.js';
import { KEYS, Moto, REGION } from './moto.js';
import { MotoProxy } from './moto-proxy.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What a model of Mistral's format is made of, far smaller. */
const FILES = [
  noiseFile('consolidated.safetensors', 1_000_007, 1),
  textFile('params.json', '{"dim": 3072}'),
  noiseFile('tekken.json', 50_000, 2),
];

export class MotoRig {
  readonly moto: Moto;
  readonly proxy: MotoProxy;
  readonly hub: FakeHub;
  /** Passes while somebody waits for it; before each command it is as late as it is for moto, whose clock is the machine's. */
  readonly time: VirtualTime;
  readonly #home: string;

  private constructor(moto: Moto, proxy: MotoProxy, hub: FakeHub, home: string) {
    this.moto = moto;
    this.proxy = proxy;
    this.hub = hub;
    this.#home = home;
    this.time = new VirtualTime();
  }

  static async open(): Promise<MotoRig> {
    const moto = await Moto.start();
    const proxy = await MotoProxy.open(moto);
    const hub = new FakeHub({ files: FILES });
    await hub.listen();
    const home = await mkdtemp(join(tmpdir(), 'kikitori-moto-'));
    await new StandInBuilders(home, proxy.host).install('docker');
    return new MotoRig(moto, proxy, hub, home);
  }

  /** Everything that anybody made is gone. */
  async reset(): Promise<void> {
    await this.moto.reset();
    this.proxy.stacks.forget();
  }

  /** AWS's clients for one run of a command. */
  connect(): Aws {
    return new Aws({ region: REGION, endpointUrl: this.proxy.url, credentials: KEYS, clock: this.time });
  }

  /** `kikitori WORDS`. */
  async run(...words: readonly string[]): Promise<{ exitCode: number; out: string; err: string }> {
    const home = this.#home;
    this.time.advance(Math.max(0, Date.now() - this.time.unixMs()));
    const context = memoryContext({
      env: {
        AWS_REGION: REGION,
        KIKITORI_HOME: home,
        HF_ENDPOINT: this.hub.endpoint,
        TMPDIR: home,
        PATH: join(home, 'bin'),
      },
      clock: this.time,
      factories: { createLogger: async () => silent, openAws: async () => this.connect() },
    });
    const exitCode = await main(words, context);
    return { exitCode, out: context.stdout.text, err: context.stderr.text };
  }

  async close(): Promise<void> {
    await Promise.all([this.proxy.close(), this.hub.close(), this.moto.stop()]);
    await rm(this.#home, { recursive: true, force: true });
  }
}
