export {
  ARTEFACT_LIMITS,
  type BucketEnd,
  type CheckModelOptions,
  type CopyModelOptions,
  type CopyProgress,
  checkStoredModel,
  copyModel,
  ensureModelBucket,
  type FileChecksum,
  type FileRecord,
  formatS3Uri,
  type HubAccess,
  type HubFile,
  type HubModel,
  hubAccess,
  type ModelBucket,
  type ModelCopy,
  type ModelFormat,
  type ModelManifest,
  type ModelPlan,
  modelBucketName,
  modelKeyPrefix,
  parseHubModel,
  parseS3Uri,
  planModelCopy,
  removeModelBucket,
  removeStoredModel,
  type S3Location,
  type StoredModel,
  type TransferLimits,
  VOXTRAL_REALTIME,
} from './artefacts/index.js';
export { Aws, type AwsKeys, type AwsOptions, type Service } from './aws/aws.js';
export {
  DeployError,
  type DeployErrorCode,
} from './errors.js';
export {
  BUILDER_NAMES,
  type BuilderName,
  type BuilderReport,
  type CheckImageOptions,
  checkImage,
  DEFAULT_REPOSITORY,
  type EcrName,
  IMAGE_LIMITS,
  type ImagePlan,
  type ImageSettings,
  noBuilderSentence,
  type ProvidedImage,
  type ProvideImageOptions,
  parseEcrName,
  planImage,
  probeBuilders,
  provideImage,
  repositoryArn,
  STREAMING_LABEL,
  type UsableImage,
} from './image/index.js';
export { decodeOthers } from './json-object.js';
export {
  type AskedSettings,
  checkDeployment,
  type Deployed,
  deployEndpoint,
  type LifecycleOptions,
  type PreparedDeployment,
  prepareDeployment,
} from './lifecycle/deploy.js';
export { type Destroyed, type DestroyWish, destroyEndpoint } from './lifecycle/destroy.js';
export { type LogLine, type LogOptions, readLog } from './lifecycle/logs.js';
export { type Scaled, type ScaleWish, scaleEndpoint } from './lifecycle/scale.js';
export { type EndpointMetrics, type EndpointStatus, readStatus } from './lifecycle/status.js';
export { type Facts, type Identity, readFacts, readIdentity } from './plan/facts.js';
export { engineOf } from './plan/parameters.js';
export { invokerPolicy, type Permission, type PolicyDocument, policyOf } from './plan/permissions.js';
export { type Plan, type PlanStep, planDeployment, type Supplies, unknownFacts } from './plan/plan.js';
export type { OnProgress, Progress } from './progress.js';
export { explain } from './settings/arithmetic.js';
export { INSTANCE_TYPES } from './settings/instances.js';
export { costLine, dollars, hourlyUsd, PRICES_DATE } from './settings/prices.js';
export {
  DEFAULTS,
  ENGINES,
  type EndpointSettings,
  type Engine,
  type ResolvedSettings,
  type VllmSettings,
  withDefaults,
} from './settings/settings.js';
export { givenImage } from './supplies/given-image.js';
export { type OwnImageOptions, ownImage } from './supplies/own-image.js';
export type { Check, GivenImage, GivenWeights, Supply, SupplyOptions } from './supplies/supply.js';
export { givenWeights, type HubWeightsOptions, hubWeights, keptWeights } from './supplies/weights.js';
export { loadTemplate } from './template-text.js';
