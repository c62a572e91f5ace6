import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { pages } from '../aws/pages.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';

/** What a model of SageMaker needs to live: an endpoint that adds or replaces an instance fetches it again. */
export interface ModelUse {
  readonly model: string;
  /** As they were named: with tag or digest. */
  readonly images: readonly string[];
  /** `s3://…`. */
  readonly weights: readonly string[];
}

/**
 * What all models of this account and region use, whoever made them. Undefined where that cannot be told: these credentials may not look, or there
 * are more models than are looked through. Then nothing that others may use is removed.
 */
export async function readModelUses(aws: Aws, signal: AbortSignal): Promise<readonly ModelUse[] | undefined> {
  const uses: ModelUse[] = [];
  const all = pages(
    DEPLOY_LIMITS.modelPagesMax,
    (NextToken) =>
      aws.ask('sageMaker', (sdk) => new sdk.ListModelsCommand({ MaxResults: 100, NextToken }), signal),
    ({ NextToken }) => NextToken,
  );
  let isWhole = false;
  try {
    for await (const { Models = [], NextToken } of all) {
      for (const { ModelName } of Models) {
        const use = ModelName === undefined ? undefined : await readUse(aws, ModelName, signal);
        if (use !== undefined) uses.push(use);
      }
      isWhole = NextToken === undefined;
    }
    return isWhole ? uses : undefined;
  } catch (error) {
    if (error instanceof DeployError && error.code === 'access_denied') return undefined;
    throw error;
  }
}

async function readUse(aws: Aws, model: string, signal: AbortSignal): Promise<ModelUse | undefined> {
  try {
    const { PrimaryContainer, Containers = [] } = await aws.ask(
      'sageMaker',
      (sdk) => new sdk.DescribeModelCommand({ ModelName: model }),
      signal,
    );
    const all = PrimaryContainer === undefined ? Containers : [PrimaryContainer, ...Containers];
    return {
      model,
      images: all.flatMap(({ Image }) => Image ?? []),
      weights: all.flatMap(({ ModelDataSource, ModelDataUrl, AdditionalModelDataSources = [] }) => [
        ...[ModelDataSource, ...AdditionalModelDataSources].flatMap((one) => one?.S3DataSource?.S3Uri ?? []),
        ...(ModelDataUrl === undefined ? [] : [ModelDataUrl]),
      ]),
    };
  } catch (error) {
    // Removed between the list and the look.
    if (isRefusal(error, 'ValidationException', /could not find/i)) return undefined;
    throw error;
  }
}
