export {
  addressOf,
  type HubAccess,
  type HubName,
  hubAccess,
  isCommit,
  parseHubName,
  tokenFor,
} from './access.js';
export {
  BrokenOffError,
  codesOf,
  HttpStatusError,
  HubError,
  isBrokenOff,
  isTransient,
  isUnreachable,
  proxySentence,
} from './failures.js';
export { type FileChecksum, type HubFile, type HubListing, listHubFiles } from './listing.js';
export { askedWaitMs, readShort, requestHub } from './request.js';
