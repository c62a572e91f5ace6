import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { codesOf } from '@kikitori/core/hub';
import { EngineError } from '@kikitori/engine';
import type { ModelFiles } from '../families/family.js';
import { CATALOGUE, type CatalogueEntry } from './catalogue.js';
import { unreadableStore } from './failures.js';
import { hubNameOf } from './hub-listing.js';
import { identify } from './identity.js';
import { homeFolder, modelDir, storeRoot } from './location.js';
import { isMissing, type ModelManifest, readManifest, rolesOf, VOICE } from './manifest.js';
import { findModel, WHAT_IS_LOOKED_FOR } from './resolve-files.js';
import { findProblems } from './verify.js';

/** Which store; the user's own by default. */
export interface ModelStoreOptions {
  /** Environment to read `KIKITORI_HOME`, `HF_*` and npm's settings from. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The store's folder. Default {@link storeRoot} of the environment. */
  readonly root?: string;
  /** Models that are pulled by name. Default {@link CATALOGUE}. */
  readonly catalogue?: readonly CatalogueEntry[];
}

/** A model that is on this machine. */
export interface ResolvedModel {
  /** What was asked for. */
  readonly name: string;
  /** Its family, or `silero`, which tells speech from silence. */
  readonly kind: string;
  /** Folder of the files, absolute. */
  readonly dir: string;
  /** BCP 47; empty: unknown. */
  readonly languages: readonly string[];
  /** `unknown` for a folder of the user's own, unless a model of the catalogue lies in it. */
  readonly licence: string;
  /** Which model of the catalogue it is, wherever it lies; undefined for any other. */
  readonly published: string | undefined;
  /** By what they are in it, absolute paths; those that its kind needs are all there. */
  readonly files: ModelFiles;
}

/** Below this a model file is none: the stand-in that Git LFS leaves is 130 bytes. */
const MODEL_BYTES_MIN = 1024;

/**
 * Whether the store knows the name: it is in the catalogue, or a hub's (`hf:owner/name`). Such a name can be pulled;
 * every other one is the path of a folder, and a path cannot be pulled.
 *
 * @throws EngineError `model_invalid` for a hub's name that is not one
 */
export function isStoreName(name: string, options: ModelStoreOptions = {}): boolean {
  const { catalogue = CATALOGUE } = options;
  return catalogue.some((entry) => entry.name === name) || hubNameOf(name) !== undefined;
}

/**
 * Finds a model on this machine: a name of the catalogue or of a hub (`hf:owner/name`) in the store, or else the
 * folder of a Moonshine export. A catalogue name wins over a folder of the same name; `./base` is the folder.
 * Checks that a model of the store is what was downloaded (its files are read where they changed since they were last
 * checked); of a folder only that files are there, for nobody has recorded what they should be. Never asks the network.
 *
 * @throws EngineError `model_unavailable` when the model has to be pulled first or may not be read; `model_invalid` when it is
 *   damaged, unknown, or the folder holds no model
 */
export async function resolveModel(
  nameOrDir: string,
  options: ModelStoreOptions = {},
): Promise<ResolvedModel> {
  const { catalogue = CATALOGUE } = options;
  if (!isStoreName(nameOrDir, options)) return resolveDir(nameOrDir, catalogue);
  const { root } = storeOf(options);
  const entry = catalogue.find((known) => known.name === nameOrDir);
  const dir = modelDir(root, nameOrDir);
  const manifest = await manifestOf(nameOrDir, entry, dir);
  const problems = await findProblems(dir, manifest.files);
  if (problems.length > 0) {
    const names = problems.map(({ file }) => file).join(', ');
    throw new EngineError(
      'model_invalid',
      `The model ${nameOrDir} in the store is damaged (${names}). Run "kikitori models pull ${nameOrDir}" to repair it.`,
    );
  }
  return resolveManifest(manifest, dir, entry?.name);
}

/** What the options mean. */
export function storeOf({ env = process.env, root, catalogue = CATALOGUE }: ModelStoreOptions): {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly root: string;
  readonly catalogue: readonly CatalogueEntry[];
} {
  const surroundings = { env, platform: process.platform, home: homeFolder(env) };
  return { env, root: root === undefined ? storeRoot(surroundings) : resolve(root), catalogue };
}

/**
 * What a model in the store should hold. For a catalogue model the catalogue says so; of the folder's own manifest
 * only the presence counts.
 *
 * @throws EngineError `model_unavailable` when it is not there
 */
export async function manifestOf(
  name: string,
  entry: CatalogueEntry | undefined,
  dir: string,
): Promise<ModelManifest> {
  const manifest = entry ?? (await readManifest(dir));
  if (manifest !== undefined && (await isFolder(dir))) return manifest;
  throw new EngineError(
    'model_unavailable',
    `The model ${name} is not on this machine yet. Run "kikitori models pull ${name}".`,
  );
}

/** True when there is a folder at this path. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw unreadableStore(path, error);
  }
}

function resolveManifest(manifest: ModelManifest, dir: string, published: string | undefined): ResolvedModel {
  const { name, kind, languages, licence } = manifest;
  const files = Object.fromEntries(manifest.files.map(({ role, name: file }) => [role, join(dir, file)]));
  const missing = rolesOf(kind)?.needed.find((role) => files[role] === undefined);
  if (missing === undefined) return { name, kind, dir, languages, licence, published, files };
  throw new EngineError(
    'model_invalid',
    `The model ${name} in the store lacks its ${missing}. Run "kikitori models rm ${name}", then pull it again.`,
  );
}

/** A model in a folder of the user's own. */
async function resolveDir(name: string, catalogue: readonly CatalogueEntry[]): Promise<ResolvedModel> {
  const dir = resolve(name);
  const paths = new Set([...(await filesIn(dir, '', name, catalogue)), ...(await filesIn(dir, 'onnx/'))]);
  const found = findModel(paths);
  if (found === undefined) {
    throw new EngineError('model_invalid', `The folder ${dir} holds no ${WHAT_IS_LOOKED_FOR}.`);
  }
  const { family, files } = found;
  const placed = Object.fromEntries(Object.entries(files).map(([role, path]) => [role, join(dir, path)]));
  for (const role of family.roles.needed) {
    const path = placed[role] ?? dir;
    const { size } = await stat(path);
    if (size < MODEL_BYTES_MIN) {
      throw new EngineError(
        'model_invalid',
        `The file ${path} is too small to be a model. If the folder was cloned, run "git lfs pull" in it.`,
      );
    }
  }
  const known = await identify(placed, catalogue);
  const { languages = [], licence = 'unknown' } = known ?? {};
  return { name, kind: family.name, dir, languages, licence, published: known?.name, files: placed };
}

/** Names in a folder, with the subfolder in front. A missing subfolder is empty; a missing folder is an error. */
async function filesIn(
  dir: string,
  subfolder: string,
  name?: string,
  catalogue: readonly CatalogueEntry[] = [],
): Promise<readonly string[]> {
  try {
    return (await readdir(join(dir, subfolder))).map((file) => `${subfolder}${file}`);
  } catch (error) {
    if (name === undefined && isMissing(error)) return [];
    throw unreadable(error, dir, catalogue);
  }
}

function unreadable(error: unknown, dir: string, catalogue: readonly CatalogueEntry[]): EngineError {
  const codes = codesOf(error);
  const names = catalogue.filter((entry) => entry.kind !== VOICE.name).map((entry) => entry.name);
  const sentence = codes.includes('ENOENT')
    ? `There is no model and no folder ${dir}. Name one of ${names.join(', ')}, a hub repository as hf:owner/name, or the folder of a Moonshine export.`
    : codes.includes('ENOTDIR')
      ? `${dir} is a file. Name the folder of a ${WHAT_IS_LOOKED_FOR}.`
      : `The folder ${dir} cannot be read. Check its permissions.`;
  return new EngineError('model_invalid', sentence, { cause: error });
}
