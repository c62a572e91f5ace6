export { type Capacity, capacityOf } from './capacity.js';
export { createMoonshineEngine, DEFAULT_MODEL, type MoonshineOptions } from './create-engine.js';
export { ENGINE_LIMITS as MOONSHINE_LIMITS } from './limits.js';
export type {
  CatalogueEntry,
  ListedModel,
  ModelProblem,
  ModelStoreOptions,
  PullProgress,
  ResolvedModel,
} from './store/index.js';
export {
  CATALOGUE,
  listModels,
  pullModel,
  removeModel,
  resolveModel,
  storeRoot,
  verifyModel,
} from './store/index.js';
export type { StreamPolicy } from './stream/policy.js';
export { DEFAULT_POLICY } from './stream/policy.js';
