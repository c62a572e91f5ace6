export { KikitoriEndpoint, type KikitoriEndpointProps } from './kikitori-endpoint.js';
export { synthesizeTemplate } from './template-stack.js';
