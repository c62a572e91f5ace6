/**
 * Runs when this package is installed, before the scripts of what it depends on. On Linux the install script of
 * onnxruntime-node fetches some hundred megabytes of libraries for NVIDIA's graphics cards from nuget.org, and fails the
 * whole installation where it cannot. We compute on the processor. The script takes files that are there for fetched, so
 * here are stand-ins for them; `ONNXRUNTIME_NODE_INSTALL=true npm rebuild onnxruntime-node` fetches the real ones.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const NOTE = `Left out: Kikitori computes on the processor.
To have it: ONNXRUNTIME_NODE_INSTALL=true npm rebuild onnxruntime-node
`;

/** Somebody has decided, by the variables or options that the install script reads: theirs holds. */
const isDecided = Object.keys(process.env).some((name) =>
  /^(npm_config_)?onnxruntime_node_install/i.test(name),
);

try {
  const require = createRequire(import.meta.url);
  const runtime = dirname(require.resolve('onnxruntime-node/package.json'));
  const platform = `${process.platform}/${process.arch}`;
  // The list that the install script goes by.
  const { requirements, manifests } = require(join(runtime, 'script', 'install-metadata.js'));
  for (const name of isDecided ? [] : (requirements[platform] ?? [])) {
    for (const file of Object.keys(manifests[`${platform}:${name}`])) {
      const path = join(runtime, 'bin', 'napi-v6', platform, file);
      if (!existsSync(path)) writeFileSync(path, NOTE);
    }
  }
} catch {
  // Laid out otherwise than we know it: then the script does what it does, and nothing of ours fails.
}
