import { readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '@kikitori/engine';
import type { CatalogueEntry } from './catalogue.js';
import { type FailureContext, toStoreError, unreadableStore } from './failures.js';
import { findHubModel, hubAccess, hubNameOf } from './hub-listing.js';
import { fetchFromHub } from './hub-source.js';
import { STORE_LIMITS } from './limits.js';
import { folderName, modelDir, modelsDir } from './location.js';
import { makeFolder } from './make-folder.js';
import { isMissing, MANIFEST_NAME, type ModelManifest, readManifest } from './manifest.js';
import { type NpmOptions, readNpmOptions } from './npm-config.js';
import { fetchFromNpm } from './npm-source.js';
import {
  isFolder,
  isStoreName,
  type ModelStoreOptions,
  manifestOf,
  type ResolvedModel,
  resolveModel,
  storeOf,
} from './resolve.js';
import { openStaging, place, setAside, stagingDir } from './staging.js';
import { findProblems, type ModelProblem } from './verify.js';
import { type OpenFile, openOnDisk, writeStream } from './write-file.js';

/** How far a pull is. */
export interface PullProgress {
  readonly receivedBytes: number;
  /** Of what is fetched: the tarball, or the files of a hub. */
  readonly totalBytes: number;
}

export interface PullOptions extends ModelStoreOptions {
  /** Breaks the pull off; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told after each block; not told at all when the model is here already. */
  readonly onProgress?: (progress: PullProgress) => void;
  /** npm's options instead of the user's npm configuration. */
  readonly npm?: NpmOptions;
  /** How files are opened for writing. Default: on the disk. */
  readonly openFile?: OpenFile;
  /** First wait between two tries; doubles. Default {@link STORE_LIMITS.retryDelayMs}. */
  readonly retryDelayMs?: number;
}

/** A model that can be pulled or is here. */
export interface ListedModel {
  readonly name: string;
  /** Its family, or `silero`. */
  readonly kind: string;
  readonly description: string;
  readonly licence: string;
  readonly languages: readonly string[];
  /** Of its files. */
  readonly sizeBytes: number;
  /** `damaged`: files are missing or are not what was downloaded; pulling repairs it. */
  readonly state: 'absent' | 'present' | 'damaged';
  readonly dir: string;
}

interface Pull {
  readonly name: string;
  readonly root: string;
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly options: PullOptions;
  readonly openFile: OpenFile;
  readonly retryDelayMs: number;
}

/**
 * Makes sure that a model is in the store, whole: checks the checksums of what is there, and fetches it if it is
 * absent or damaged. A pull that breaks off leaves nothing that is taken for a model; running it again goes on
 * (hub) or starts over (npm, whose cache spares the way). Several processes may pull at once.
 *
 * @throws EngineError `model_unavailable` (offline, disk full, no permission, refused, not there, wrong checksum)
 *   or `model_invalid` (no such name; the repository holds no Moonshine model); the signal's reason when aborted
 */
export async function pullModel(name: string, options: PullOptions = {}): Promise<ResolvedModel> {
  const { env, root, catalogue } = storeOf(options);
  const { signal, openFile = openOnDisk, retryDelayMs = STORE_LIMITS.retryDelayMs } = options;
  signal?.throwIfAborted();
  const dir = modelDir(root, name);
  const pull: Pull = { name, root, dir, env, options, openFile, retryDelayMs };
  if (!isStoreName(name, options)) throw unknownModel(catalogue);
  const entry = catalogue.find((known) => known.name === name);
  const context = entry === undefined ? hubContext(name, root) : npmContext(entry, root);
  try {
    const manifest = entry ?? (await readManifest(dir));
    if (manifest === undefined || !(await isWhole(dir, manifest, signal))) {
      await (entry === undefined ? pullFromHub(pull) : pullFromNpm(entry, pull));
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw toStoreError(error, context);
  }
  return resolveModel(name, options);
}

/** The catalogue and what else is in the store, in this order. */
export async function listModels(options: ModelStoreOptions = {}): Promise<readonly ListedModel[]> {
  const { root, catalogue } = storeOf(options);
  const listed: ListedModel[] = [];
  for (const entry of catalogue) {
    listed.push(await describe(entry, entry.description, modelDir(root, entry.name)));
  }
  for (const folder of await foldersIn(modelsDir(root))) {
    const dir = join(modelsDir(root), folder);
    const manifest = await readManifest(dir);
    if (manifest === undefined || catalogue.some((entry) => folderName(entry.name) === folder)) continue;
    const { source } = manifest;
    const origin = source.type === 'hub' ? `${source.repo} at ${source.revision}` : source.package;
    listed.push(await describe(manifest, `Moonshine export, ${origin}`, dir));
  }
  return listed;
}

/** Removes a model from the store. Returns false when it was not there. */
export async function removeModel(name: string, options: ModelStoreOptions = {}): Promise<boolean> {
  const { root, catalogue } = storeOf(options);
  if (!isStoreName(name, options)) throw unknownModel(catalogue);
  const dir = modelDir(root, name);
  if (!(await isFolder(dir))) return false;
  try {
    return await setAside(dir, root);
  } catch (error) {
    throw toStoreError(error, { ...hubContext(name, root), subject: `the model ${name}` });
  }
}

/**
 * Checks a model in the store: every byte, also of what did not change since it was last checked.
 *
 * @returns what is wrong; empty when all is well
 * @throws EngineError `model_unavailable` when the model is not in the store
 */
export async function verifyModel(
  name: string,
  options: ModelStoreOptions & { readonly signal?: AbortSignal } = {},
): Promise<readonly ModelProblem[]> {
  const { root, catalogue } = storeOf(options);
  if (!isStoreName(name, options)) throw unknownModel(catalogue);
  const entry = catalogue.find((known) => known.name === name);
  const dir = modelDir(root, name);
  const manifest = await manifestOf(name, entry, dir);
  return findProblems(dir, manifest.files, { everything: true, signal: options.signal });
}

async function pullFromNpm(entry: CatalogueEntry, pull: Pull): Promise<void> {
  const { root, dir, options, openFile, retryDelayMs } = pull;
  const { signal, onProgress } = options;
  await checkFree(root, bytesOf(entry));
  const npm = options.npm ?? (await readNpmOptions(pull.env));
  const staging = await openStaging(root, `npm--${entry.name}`);
  const totalBytes = entry.downloadBytes;
  const onReceived = (receivedBytes: number): void => onProgress?.({ receivedBytes, totalBytes });
  try {
    await fetchFromNpm(entry, staging.dir, { npm, openFile, signal, retryDelayMs, onReceived });
    const { description: _, downloadBytes: __, files, ...rest } = entry;
    const manifest = { ...rest, files: files.map(({ from: ___, ...file }) => file) };
    await writeManifest(manifest, staging.dir, openFile);
    await place(staging, dir, root, (there) => isWhole(there, entry, signal));
  } catch (error) {
    // What cannot be removed now is removed by the next pull.
    await staging.discard().catch(() => {});
    throw error;
  }
}

async function pullFromHub(pull: Pull): Promise<void> {
  const { name, root, dir, options, openFile, retryDelayMs } = pull;
  const { signal, onProgress } = options;
  const hub = hubNameOf(name);
  if (hub === undefined) return;
  const { repository } = hub;
  const access = hubAccess(pull.env);
  // Nobody need be asked for what cannot be kept.
  await makeFolder(stagingDir(root));
  const { kind, commit, licence, languages, files } = await findHubModel(hub, access, signal);
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  await checkFree(root, totalBytes);
  const staging = await openStaging(root, `${folderName(name)}@${commit}`);
  try {
    let doneBytes = 0;
    const fetched = [];
    for (const file of files) {
      const onReceived = (bytes: number): void =>
        onProgress?.({ receivedBytes: doneBytes + bytes, totalBytes });
      const fetching = { access, repository, commit, openFile, signal, retryDelayMs, onReceived };
      fetched.push(await fetchFromHub(file, staging.dir, fetching));
      doneBytes += file.sizeBytes;
    }
    const source = { type: 'hub', repo: repository, revision: commit } as const;
    const manifest = { schema: 1, name, kind, licence, languages, source, files: fetched } as const;
    await writeManifest(manifest, staging.dir, openFile);
    await place(staging, dir, root, (there) => isWhole(there, manifest, signal));
  } catch (error) {
    // Kept: the next pull goes on here.
    staging.keep();
    throw error;
  }
}

async function writeManifest(manifest: ModelManifest, dir: string, openFile: OpenFile): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  const one = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  await writeStream(one(), join(dir, MANIFEST_NAME), { flags: 'w', bytesMax: bytes.length, openFile });
}

async function isWhole(
  dir: string,
  manifest: ModelManifest,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!(await isFolder(dir)) || (await readManifest(dir)) === undefined) return false;
  return (await findProblems(dir, manifest.files, { everything: true, signal })).length === 0;
}

async function describe(manifest: ModelManifest, description: string, dir: string): Promise<ListedModel> {
  const { name, kind, licence, languages, files } = manifest;
  const isHere = await isFolder(dir);
  const problems = isHere ? await findProblems(dir, files) : [];
  const state = !isHere ? 'absent' : problems.length > 0 ? 'damaged' : 'present';
  return { name, kind, description, licence, languages, sizeBytes: bytesOf(manifest), state, dir };
}

async function foldersIn(dir: string): Promise<readonly string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw unreadableStore(dir, error);
  }
}

/** Refuses at once what cannot fit, instead of after a long download. */
async function checkFree(root: string, neededBytes: number): Promise<void> {
  // First: a file system that takes nothing (`/proc`) may say that it is full.
  await makeFolder(stagingDir(root));
  const { bavail, bsize } = await statfs(root);
  if (bavail * bsize >= neededBytes + STORE_LIMITS.freeBytesMin) return;
  throw Object.assign(new Error('The disk has too little space left.'), { code: 'ENOSPC' });
}

function bytesOf(manifest: ModelManifest): number {
  return manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0);
}

function npmContext({ source }: CatalogueEntry, root: string): FailureContext {
  return {
    subject: `the npm package ${source.package}@${source.version}`,
    root,
    credential: 'the credentials in your npm configuration',
    address: 'the registry in your npm configuration',
  };
}

function hubContext(name: string, root: string): FailureContext {
  const address = 'the name and HF_ENDPOINT';
  const credential = 'that HF_TOKEN holds a token that may read it';
  return { subject: `the hub repository ${name.replace(/^hf:/, '')}`, root, credential, address };
}

function unknownModel(catalogue: readonly CatalogueEntry[]): EngineError {
  const names = catalogue.map((entry) => entry.name).join(', ');
  return new EngineError(
    'model_invalid',
    `There is no model of this name. Name one of ${names}, or a hub repository as hf:owner/name.`,
  );
}
