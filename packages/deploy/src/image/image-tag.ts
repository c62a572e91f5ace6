import type { Engine } from '../settings/settings.js';

/** Names of endpoints have no dot, so the first one ends the name. */
const PATTERN = /^([A-Za-z0-9-]{1,63})\.((?:vllm|moonshine)-[0-9a-f]{16})$/;

/**
 * `demo.vllm-0123456789abcdef`: the endpoint, and what the image is made of. Each endpoint has a tag of its own at the image it uses: where the
 * last of them goes, ECR removes the image.
 */
export function imageTag(endpointName: string, engine: Engine, hash: string): string {
  return `${endpointName}.${engine}-${hash.slice(0, 16)}`;
}

/** The endpoint of a tag of ours, as it was written; undefined for any other tag. */
export function endpointOf(tag: string): string | undefined {
  return PATTERN.exec(tag)?.[1];
}

/** What the image of a tag of ours is made of; undefined for any other tag. */
export function contentOf(tag: string): string | undefined {
  return PATTERN.exec(tag)?.[2];
}
