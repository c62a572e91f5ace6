import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import dockerignore from '@balena/dockerignore';
import { DeployError } from '../errors.js';
import type { Engine } from '../settings/settings.js';
import { PLATFORM } from './builder.js';
import { IMAGE_LIMITS } from './limits.js';

/** What goes into an image: exactly these files. */
export interface BuildContext {
  /** Folder that the paths are in. */
  readonly root: string;
  /** In `root`, with slashes, sorted. The Dockerfile is not among them. */
  readonly paths: readonly string[];
  /** In `root`. */
  readonly dockerfile: string;
  /** Changes when a byte of any of this does: lower-case hex. */
  readonly hash: string;
}

/** Where this package is installed; a checkout is four folders above its built code. */
const CHECKOUT = join(import.meta.dirname, '..', '..', '..', '..');

/**
 * The context of an engine's image: what the Dockerfile's own `.dockerignore` lets through of a checkout.
 *
 * @param root - a checkout; looked for around this package when not given
 * @throws DeployError `context_missing` with what to do
 */
export async function readBuildContext(engine: Engine, root: string = CHECKOUT): Promise<BuildContext> {
  const dockerfile = `containers/${engine}/Dockerfile`;
  if (!(await isFile(join(root, dockerfile)))) throw new DeployError('context_missing');
  const paths = await listContext(root, `${dockerfile}.dockerignore`);
  checkComplete(engine, paths);
  const hash = await hashContext({ root, paths, dockerfile });
  return { root, paths, dockerfile, hash };
}

/** Names that the Dockerfile copies one by one; without them the build fails late, in words that help nobody. */
function checkComplete(engine: Engine, paths: readonly string[]): void {
  const needed =
    engine === 'vllm'
      ? ['LICENSE', 'packages/bridge/dist/kikitori-bridge.mjs']
      : ['package-lock.json', 'packages/cli/dist/main.js', 'packages/server/dist/index.js'];
  if (needed.every((path) => paths.includes(path))) return;
  throw new DeployError('context_missing', {
    sentence:
      'The code is not built yet: run "npm ci && npm run build" in the checkout, then the same command again.',
  });
}

/** What the `.dockerignore` lets through, read as the builders read it. */
async function listContext(root: string, ignoreFile: string): Promise<readonly string[]> {
  const ignored = dockerignore.default().add(await readFile(join(root, ignoreFile), 'utf8'));
  const paths: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      // Neither Dockerfile wants them, and reading them takes longer than all the rest.
      if (entry.isDirectory() && !['node_modules', '.git', '.cache'].includes(entry.name)) await walk(path);
      if (entry.isFile() && !ignored.ignores(path)) paths.push(path);
      if (paths.length > IMAGE_LIMITS.contextFilesMax) throw new DeployError('context_missing');
    }
  };
  await walk('');
  return paths.toSorted();
}

/** Names, contents, the Dockerfile and the platform, each with its length in front so that nothing runs together. */
async function hashContext({ root, paths, dockerfile }: Omit<BuildContext, 'hash'>): Promise<string> {
  const hash = createHash('sha256');
  const add = (bytes: Uint8Array | string): void => {
    const block = Buffer.from(bytes);
    hash.update(`${block.length}:`).update(block);
  };
  let totalBytes = 0;
  for (const path of [dockerfile, ...paths]) {
    const bytes = await readFile(join(root, path));
    totalBytes += bytes.length;
    if (totalBytes > IMAGE_LIMITS.contextBytesMax) throw new DeployError('context_missing');
    add(path);
    add(bytes);
  }
  // The list had build arguments, which nobody could give; without it, images that were pushed would be built again.
  add(JSON.stringify([PLATFORM, []]));
  return hash.digest('hex');
}

/** A copy of a context in a folder of its own, so that what is built is what was hashed, whatever happens to the checkout. */
export interface StagedContext {
  readonly dir: string;
  readonly dockerfile: string;
  remove(): Promise<void>;
}

/** Lays a context out in a new folder below `parent`, the system's for temporary files when not given. */
export async function stageContext(
  context: BuildContext,
  parent: string = tmpdir(),
  signal?: AbortSignal,
): Promise<StagedContext> {
  const base = await mkdtemp(join(parent, 'kikitori-image-'));
  const remove = async (): Promise<void> => await rm(base, { recursive: true, force: true });
  try {
    const dir = join(base, 'context');
    for (const path of context.paths) {
      signal?.throwIfAborted();
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await copyFile(join(context.root, path), join(dir, path));
    }
    const dockerfile = join(base, 'Dockerfile');
    await copyFile(join(context.root, context.dockerfile), dockerfile);
    return { dir, dockerfile, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
