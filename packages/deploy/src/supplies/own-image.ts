import type { Aws } from '../aws/aws.js';
import { type BuilderName, chooseBuilder } from '../image/builder.js';
import { planImage, provideImage } from '../image/provide-image.js';
import { DEFAULT_REPOSITORY } from '../image/repository.js';
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
  const { engine, builder, env } = options;
  return {
    summary: `build the image of containers/${engine} and push it to ${DEFAULT_REPOSITORY} in ECR, unless it is there`,
    minutes: [0, 30],
    permissions: imagePermissions(DEFAULT_REPOSITORY, place),
    check: (signal) =>
      asCheck('image', async () => {
        const { target, there } = await planImage(aws, { ...options, accountId: place.account, signal });
        if (there !== undefined) return `${target} is there`;
        return `${target} will be built with ${(await chooseBuilder(builder, env, signal)).name}`;
      }),
    async ensure({ signal, onProgress }) {
      onProgress({ step: 'image', kind: 'begin', text: `Image of containers/${engine}` });
      const onLine = (text: string) => onProgress({ step: 'image', kind: 'note', text });
      const tags = { [ENDPOINT_TAG]: 'shared' };
      const image = await provideImage(aws, { ...options, accountId: place.account, tags, onLine, signal });
      for (const warning of image.warnings) onLine(warning);
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
