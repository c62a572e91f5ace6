export {
  type CopyModelOptions,
  copyModel,
  type ModelCopy,
  modelKeyPrefix,
  planModelCopy,
} from './artefacts/copy-model.js';
export { type HubModel, hubAccess, parseHubModel, VOXTRAL_REALTIME } from './artefacts/hub-access.js';
export { type CheckModelOptions, checkStoredModel, removeStoredModel } from './artefacts/stored-model.js';
export { Aws, type AwsOptions } from './aws/aws.js';
export { DeployError, type DeployErrorCode } from './errors.js';
export type { BuilderName } from './image/builder.js';
export { parseEcrName } from './image/ecr-name.js';
export { DEFAULT_REPOSITORY } from './image/repository.js';
export { decodeOthers } from './json-object.js';
export { checkDeployment, type DraftedDeployment, draftDeployment } from './lifecycle/check.js';
export {
  type AskedSettings,
  deployEndpoint,
  type PreparedDeployment,
  prepareDeployment,
} from './lifecycle/deploy.js';
export { destroyEndpoint } from './lifecycle/destroy.js';
export { type LogLine, readLog } from './lifecycle/logs.js';
export { type Scaled, scaleEndpoint } from './lifecycle/scale.js';
export { type EndpointStatus, readStatus } from './lifecycle/status.js';
export type { Facts } from './plan/facts.js';
export { engineOf } from './plan/parameters.js';
export type { Plan, Supplies } from './plan/plan.js';
export type { OnProgress, Progress } from './progress.js';
export { explain } from './settings/arithmetic.js';
export { dollars, PRICES_DATE } from './settings/prices.js';
export { type EndpointSettings, type Engine, withDefaults } from './settings/settings.js';
export { givenImage } from './supplies/given-image.js';
export { ownImage } from './supplies/own-image.js';
export type { Check, GivenImage, GivenWeights, Supply } from './supplies/supply.js';
export { givenWeights, hubWeights, keptWeights } from './supplies/weights.js';
export { loadTemplate } from './template-text.js';
