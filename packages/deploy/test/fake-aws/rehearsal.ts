/** One engineer at work on the fake: deploys, changes, looks, removes; each run a process of its own, with nothing kept between. */
import { Aws } from '../../src/aws/aws.js';
import type { LifecycleOptions, PreparedDeployment } from '../../src/lifecycle/deploy.js';
import { deployEndpoint, prepareDeployment } from '../../src/lifecycle/deploy.js';
import { type Destroyed, destroyEndpoint } from '../../src/lifecycle/destroy.js';
import { givenWeightsPermissions } from '../../src/plan/permissions.js';
import type { Supplies } from '../../src/plan/plan.js';
import type { EndpointSettings } from '../../src/settings/settings.js';
import { givenImage } from '../../src/supplies/given-image.js';
import type { GivenWeights, Supply } from '../../src/supplies/supply.js';
import type { AccountOptions } from './account.js';
import { FakeAws } from './fake-aws.js';
import { seeded } from './virtual-time.js';

export const WEIGHTS: GivenWeights = { bucket: 'weights-1', prefix: 'models/voxtral/' };
export const VLLM: EndpointSettings = { engine: 'vllm', endpointName: 'demo' };
export const MOONSHINE: EndpointSettings = { engine: 'moonshine', endpointName: 'demo' };

function weightsSupply(): Supply<GivenWeights> {
  return {
    summary: 'use the weights in s3://weights-1/models/voxtral/',
    permissions: givenWeightsPermissions(WEIGHTS.bucket, WEIGHTS.prefix, {
      region: 'us-west-2',
      account: '123456789012',
      partition: 'aws',
    }),
    check: async () => ({ name: 'weights', state: 'ok', text: '', remedy: '' }),
    ensure: async () => WEIGHTS,
  };
}

export class Rehearsal {
  readonly fake: FakeAws;
  /** What the last run told. */
  told: string[] = [];
  tag = '1';
  readonly #options: AccountOptions;

  private constructor(fake: FakeAws, options: AccountOptions) {
    this.fake = fake;
    this.#options = options;
  }

  static async open(options: AccountOptions): Promise<Rehearsal> {
    return new Rehearsal(await FakeAws.open(options), options);
  }

  /** Something with AWS's clients, as one run of the command does it. */
  async run<T>(work: (aws: Aws, options: LifecycleOptions) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const aws = new Aws({
      region: this.fake.account.region,
      endpointUrl: this.fake.url,
      credentials: { accessKeyId: 'AKIDFAKE', secretAccessKey: 'fake' },
      clock: this.#options.time,
      random: seeded(this.#options.seed + 1),
    });
    this.told = [];
    try {
      return await work(aws, {
        signal: signal ?? new AbortController().signal,
        onProgress: ({ text }) => this.told.push(text),
      });
    } finally {
      aws.close();
    }
  }

  suppliesFor(aws: Aws, engine: string): Supplies {
    const { id, region } = this.fake.account;
    const image = `${id}.dkr.ecr.${region}.amazonaws.com/kikitori-${engine}:${this.tag}`;
    return { image: givenImage(aws, image), weights: engine === 'vllm' ? weightsSupply() : undefined };
  }

  prepare(settings: EndpointSettings): Promise<PreparedDeployment> {
    return this.run((aws, options) =>
      prepareDeployment(aws, settings, () => this.suppliesFor(aws, settings.engine), options),
    );
  }

  deploy(settings: EndpointSettings, signal?: AbortSignal) {
    return this.run(async (aws, options) => {
      const prepared = await prepareDeployment(
        aws,
        settings,
        () => this.suppliesFor(aws, settings.engine),
        options,
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
