export {
  DEPLOY_ERRORS,
  DeployError,
  type DeployErrorCode,
  type DeployErrorOptions,
  type DeployErrorTraits,
} from './errors.js';
export type { OnProgress, Progress } from './progress.js';
