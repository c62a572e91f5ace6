import type {
  Aws,
  BuilderName,
  Engine,
  Facts,
  GivenImage,
  GivenWeights,
  Supplies,
  Supply,
} from '@kikitori/deploy';
import type { Context } from '../context.js';

/** What was said about image and weights. */
export interface SuppliesGiven {
  readonly endpoint: string;
  readonly engine: Engine | undefined;
  readonly image: string | undefined;
  readonly builder: BuilderName | undefined;
  readonly weights: string | undefined;
  readonly modelS3: string | undefined;
}

type Deploy = typeof import('@kikitori/deploy');

/**
 * Where image and weights come from: what was named, else what the endpoint has, else built and copied. The maker throws `DeployError`
 * `invalid_setting`.
 */
export async function suppliesMaker(
  given: SuppliesGiven,
  aws: Aws,
  context: Context,
): Promise<(facts: Facts) => Supplies> {
  const deploy = await import('@kikitori/deploy');
  return (facts) => ({
    image: imageOf(given, aws, facts, context, deploy),
    weights: weightsOf(given, aws, facts, context, deploy),
  });
}

function imageOf(
  { endpoint: endpointName, image, engine: asked, builder }: SuppliesGiven,
  aws: Aws,
  facts: Facts,
  { env }: Context,
  deploy: Deploy,
): Supply<GivenImage> {
  if (image !== undefined) return deploy.givenImage(aws, image);
  const { ImageUri: now = '', Engine: before } = facts.stack?.parameters ?? {};
  const engine = deploy.engineOf(asked, facts.stack?.parameters);
  const isNamed = now !== '' && deploy.parseEcrName(now)?.repository !== deploy.DEFAULT_REPOSITORY;
  // Somebody named it once; it stays until somebody names another one.
  if (isNamed && before === engine) return deploy.givenImage(aws, now);
  return deploy.ownImage(aws, { engine, endpointName, builder, env }, facts);
}

function weightsOf(
  { endpoint: endpointName, engine: asked, modelS3, weights }: SuppliesGiven,
  aws: Aws,
  facts: Facts,
  { env }: Context,
  deploy: Deploy,
): Supply<GivenWeights> | undefined {
  const engine = deploy.engineOf(asked, facts.stack?.parameters);
  if (modelS3 !== undefined) return deploy.givenWeights(aws, modelS3, facts);
  const {
    ModelBucket: bucket = '',
    ModelPrefix: prefix = '',
    Engine: before,
  } = facts.stack?.parameters ?? {};
  if (weights === undefined && bucket !== '' && before === engine) {
    return deploy.keptWeights(aws, { bucket, prefix }, facts);
  }
  if (engine === 'moonshine') return undefined;
  const model = weights === undefined ? deploy.VOXTRAL_REALTIME : deploy.parseHubModel(weights);
  return deploy.hubWeights(aws, { endpointName, model, access: deploy.hubAccess(env) }, facts);
}
