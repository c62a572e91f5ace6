export { type BuildContext, readBuildContext } from './build-context.js';
export {
  BUILDER_NAMES,
  type BuilderName,
  type BuilderReport,
  noBuilderSentence,
  probeBuilders,
} from './builder.js';
export { type EcrName, parseEcrName, repositoryArn } from './ecr-name.js';
export { type CheckImageOptions, checkImage, STREAMING_LABEL, type UsableImage } from './image-check.js';
export { endpointOf } from './image-tag.js';
export { IMAGE_LIMITS } from './limits.js';
export {
  DEFAULT_REPOSITORY,
  type ImagePlan,
  type ImageSettings,
  type ProvidedImage,
  type ProvideImageOptions,
  planImage,
  provideImage,
} from './provide-image.js';
export { isOurs, type ListedImage, listImages, type RepositoryPlace } from './repository.js';
