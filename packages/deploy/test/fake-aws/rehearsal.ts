/** One engineer at work on the fake: deploys, changes, looks, removes. Nothing is kept between two runs but AWS's clients, over sockets not even they. */
import { Aws, type Carrier } from '../../src/aws/aws.js';
import { deployEndpoint, type PreparedDeployment, prepareDeployment } from '../../src/lifecycle/deploy.js';
import { type Destroyed, destroyEndpoint } from '../../src/lifecycle/destroy.js';
import { givenWeightsPermissions } from '../../src/plan/permissions.js';
import type { Supplies } from '../../src/plan/plan.js';
import type { LifecycleOptions } from '../../src/progress.js';
import type { EndpointSettings } from '../../src/settings/settings.js';
import { givenImage } from '../../src/supplies/given-image.js';
import type { GivenWeights, Supply } from '../../src/supplies/supply.js';
import type { AccountOptions } from './account.js';
import { FakeAws } from './fake-aws.js';
import { carriedTo } from './in-process.js';
import { seeded } from './virtual-time.js';

export const WEIGHTS: GivenWeights = { bucket: 'weights-1', prefix: 'models/voxtral/' };
export const VLLM: EndpointSettings = { engine: 'vllm', endpointName: 'demo' };
export const MOONSHINE: EndpointSettings = { engine: 'moonshine', endpointName: 'demo' };

function weightsSupply(): Supply<GivenWeights> {
  return {
    summary: 'use the weights in s3://weights-1/models/voxtral/',
    minutes: [0, 1],
    permissions: givenWeightsPermissions(WEIGHTS.bucket, WEIGHTS.prefix, {
      region: 'us-west-2',
      account: '123456789012',
      partition: 'aws',
    }),
    check: async () => ({ name: 'weights', state: 'ok', text: '', remedy: '' }),
    ensure: async () => WEIGHTS,
  };
}

export interface RehearsalOptions extends AccountOptions {
  /** Over real sockets, with clients of each run's own as in a process of its own; or in this process, with far less work. That is the default. */
  readonly wire?: 'sockets' | 'in process';
}

export class Rehearsal {
  readonly fake: FakeAws;
  /** What the last run told. */
  told: string[] = [];
  tag = '1';
  readonly #options: RehearsalOptions;
  /** For runs in this process: to make clients takes longer than to use them. */
  readonly #kept: Aws;

  private constructor(fake: FakeAws, options: RehearsalOptions) {
    this.fake = fake;
    this.#options = options;
    this.#kept = this.#connect(carriedTo(fake));
  }

  static async open(options: RehearsalOptions): Promise<Rehearsal> {
    return new Rehearsal(await FakeAws.open(options), options);
  }

  /** Something with AWS's clients, as one run of the command does it. */
  async run<T>(work: (aws: Aws, options: LifecycleOptions) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const isKept = this.#options.wire !== 'sockets';
    const aws = isKept ? this.#kept : this.#connect();
    this.told = [];
    try {
      return await work(aws, {
        signal: signal ?? new AbortController().signal,
        onProgress: ({ text }) => this.told.push(text),
      });
    } finally {
      if (!isKept) aws.close();
    }
  }

  #connect(carrier?: Carrier): Aws {
    return new Aws({
      region: this.fake.account.region,
      endpointUrl: this.fake.url,
      credentials: { accessKeyId: 'AKIDFAKE', secretAccessKey: 'fake' },
      carrier,
      clock: this.#options.time,
      random: seeded(this.#options.seed + 1),
    });
  }

  suppliesFor(aws: Aws, engine: string): Supplies {
    const { id, region } = this.fake.account;
    const image = `${id}.dkr.ecr.${region}.amazonaws.com/kikitori-${engine}:${this.tag}`;
    return { image: givenImage(aws, image), weights: engine === 'vllm' ? weightsSupply() : undefined };
  }

  prepare(settings: EndpointSettings): Promise<PreparedDeployment> {
    return this.run((aws, options) =>
      prepareDeployment(aws, settings, () => this.suppliesFor(aws, settings.engine), options.signal),
    );
  }

  deploy(settings: EndpointSettings, signal?: AbortSignal) {
    return this.run(async (aws, options) => {
      const prepared = await prepareDeployment(
        aws,
        settings,
        () => this.suppliesFor(aws, settings.engine),
        options.signal,
      );
      return await deployEndpoint(aws, prepared, options);
    }, signal);
  }

  destroy({ endpointName = 'demo' }: EndpointSettings, signal?: AbortSignal): Promise<Destroyed> {
    const wish = { endpointName, keepsLog: false, isAll: false };
    return this.run((aws, options) => destroyEndpoint(aws, wish, options), signal);
  }

  close(): Promise<void> {
    return this.fake.close();
  }
}
