export { type Capacity, capacityOf } from './capacity.js';
export {
  createLocalEngine,
  createVoiceDetector,
  DEFAULT_MODEL,
  type LocalEngineOptions,
  type VoiceDetectorOptions,
} from './create-engine.js';
export { LOCAL_LIMITS } from './limits.js';
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
  homeFolder,
  listModels,
  makeFolder,
  pullModel,
  removeModel,
  resolveModel,
  storeRoot,
  verifyModel,
} from './store/index.js';
