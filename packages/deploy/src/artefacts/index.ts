export type { FileChecksum, HubAccess, HubFile } from '@kikitori/core/hub';
export {
  type CopyModelOptions,
  copyModel,
  type ModelCopy,
  type ModelPlan,
  modelKeyPrefix,
  planModelCopy,
} from './copy-model.js';
export { type HubModel, hubAccess, parseHubModel, VOXTRAL_REALTIME } from './hub-access.js';
export { ARTEFACT_LIMITS, type TransferLimits } from './limits.js';
export {
  type BucketEnd,
  ensureModelBucket,
  type ModelBucket,
  modelBucketName,
  removeModelBucket,
} from './model-bucket.js';
export type { ModelFormat } from './model-files.js';
export type { FileRecord, ModelManifest } from './model-manifest.js';
export {
  type BucketUse,
  dropUse,
  listUses,
  type ModelBucketPlace,
  noteUse,
  sizeOf,
} from './model-uses.js';
export { formatS3Uri, parseS3Uri, type S3Location } from './s3-location.js';
export {
  type CheckModelOptions,
  checkStoredModel,
  removeStoredModel,
  type StoredModel,
} from './stored-model.js';
export { type CopyProgress, gigabytes } from './transfer-progress.js';
