/** What people have configured for AWS's clients, in the environment of this process and in `~/.aws`. */

export { configuredEndpointUrl } from './configured-endpoint.js';
export { profileRegion } from './profile-region.js';
