import type { Aws } from '../aws/aws.js';
import { DeployError } from '../errors.js';
import { BUILDER_NAMES, type BuilderName, noBuilderSentence, probeBuilders } from '../image/builder.js';
import { DEFAULT_REPOSITORY, planImage, provideImage } from '../image/provide-image.js';
import { ENDPOINT_TAG, type Place } from '../names.js';
import { imagePermissions } from '../plan/permissions.js';
import type { Engine } from '../settings/settings.js';
import { asCheck } from './as-check.js';
import type { GivenImage, Supply } from './supply.js';

/** How our own image is made. */
export interface OwnImageOptions {
  readonly engine: Engine;
  /** The image's tag begins with it: several endpoints share one repository, and may share an image. */
  readonly endpointName: string;
  /** Only this builder; else the first that works. */
  readonly builder: BuilderName | undefined;
  /** `PATH`, and what the builders read. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The image of this checkout: built with whatever builder there is, and pushed to our own repository, unless it is there. */
export function ownImage(aws: Aws, options: OwnImageOptions, place: Place): Supply<GivenImage> {
  const { engine, endpointName, builder, env } = options;
  const settings = { engine, endpointName, accountId: place.account, region: place.region };
  return {
    summary: `build the image of containers/${engine} and push it to ${DEFAULT_REPOSITORY} in ECR, unless it is there`,
    permissions: imagePermissions(DEFAULT_REPOSITORY, place),
    check: ({ signal }) =>
      asCheck('image', async () => {
        const ecrFor = await aws.ecrFor();
        const { target, isThere } = await planImage({ ...settings, ecrFor, signal });
        if (isThere) return `${target} is there`;
        const names = builder === undefined ? BUILDER_NAMES : [builder];
        const reports = await probeBuilders(names, env, { signal });
        const found = reports.find(({ state }) => state === 'works');
        if (found === undefined) {
          throw new DeployError('builder_missing', { sentence: noBuilderSentence(reports) });
        }
        return `${target} will be built with ${found.name}`;
      }),
    async ensure({ signal, onProgress }) {
      const ecrFor = await aws.ecrFor();
      onProgress({ step: 'image', kind: 'begin', text: `Image of containers/${engine}` });
      const tell = (text: string) => onProgress({ step: 'image', kind: 'note', text });
      const image = await provideImage({
        ...settings,
        ecrFor,
        env,
        tags: { [ENDPOINT_TAG]: 'shared' },
        onLine: tell,
        signal,
        ...(builder === undefined ? {} : { builder }),
      });
      for (const warning of image.warnings) tell(warning);
      const isBuilt = image.builtBy !== undefined;
      onProgress({
        step: 'image',
        kind: isBuilt ? 'done' : 'skip',
        text: isBuilt ? `Image pushed: ${image.uri}` : `Image is there: ${image.uri}`,
      });
      return { imageUri: image.uri, repositoryArn: image.repositoryArn };
    },
  };
}
