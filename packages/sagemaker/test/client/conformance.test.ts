import { testConnection } from '@kikitori/transport/conformance';
import { describe, expect, it } from 'vitest';
import { SAGEMAKER_TRAITS, standInWorld } from './stand-in-world.js';

const framework = { describe, it, expect };

testConnection(
  'a stream through the stand-in to a container, over TLS',
  { traits: SAGEMAKER_TRAITS, createWorld: () => standInWorld({ isPlaintext: false }) },
  framework,
);

testConnection(
  'a stream on a shared connection, without TLS',
  {
    traits: SAGEMAKER_TRAITS,
    createWorld: () => standInWorld({ isPlaintext: true, streamsPerConnection: 4 }),
  },
  framework,
);
