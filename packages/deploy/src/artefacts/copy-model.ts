import type { S3Client } from '@aws-sdk/client-s3';
import { type HubAccess, type HubFile, type HubListing, isCommit } from '@kikitori/core/hub';
import { toDeployError } from '../aws/failure.js';
import { DeployError } from '../errors.js';
import { copyFile, type FileTask } from './file-copy.js';
import type { HubModel } from './hub-access.js';
import { listHubModel } from './hub-listing.js';
import { HubSource } from './hub-source.js';
import { ARTEFACT_LIMITS, TRANSFER_DEFAULTS, type TransferLimits } from './limits.js';
import { chooseModelFiles, type ModelFormat } from './model-files.js';
import {
  encodeManifest,
  type FileRecord,
  MANIFEST_NAME,
  type ModelManifest,
  parseManifest,
} from './model-manifest.js';
import { ObjectStore, type UnfinishedUpload } from './object-store.js';
import { formatS3Uri, parseS3Uri, type S3Location } from './s3-location.js';
import { type CopyProgress, ProgressMeter } from './transfer-progress.js';
import { STATE_NAME, UploadState } from './upload-state.js';

export interface CopyModelOptions {
  readonly s3: S3Client;
  /** Account that the bucket must belong to; S3 refuses when it does not. */
  readonly bucketOwner?: string;
  readonly model: HubModel;
  /** `s3://BUCKET/PREFIX/`: a prefix of its own for each commit, because a running endpoint reads from it. */
  readonly destination: string;
  readonly access: HubAccess;
  /** Must not throw and not wait. */
  readonly onProgress?: (progress: CopyProgress) => void;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<TransferLimits>;
}

/** A model in S3, as `ModelDataSource` of SageMaker takes it: `S3Prefix`, uncompressed. */
export interface ModelCopy {
  /** With a slash at the end. */
  readonly uri: string;
  readonly repository: string;
  readonly commit: string;
  readonly format: ModelFormat;
  readonly files: readonly FileRecord[];
  readonly totalBytes: number;
  /** What was sent now. 0: everything was there. */
  readonly sentBytes: number;
}

/** What a copy would take, as far as reading tells. */
export interface ModelPlan {
  readonly uri: string;
  readonly repository: string;
  readonly commit: string;
  readonly format: ModelFormat;
  readonly files: readonly HubFile[];
  readonly totalBytes: number;
}

/**
 * Where a model's files belong in our own bucket. The commit is part of it: files that an endpoint may be reading are never
 * written over.
 */
export function modelKeyPrefix({ repository, revision }: HubModel): string {
  return `models/${repository}/${isCommit(revision) ? revision.slice(0, 12) : revision.replaceAll('/', '-')}/`;
}

/**
 * Asks the hub which files a copy would take, and touches nothing.
 *
 * @throws DeployError `hub_refused`, `hub_not_found`, `hub_unreachable`, `model_unsuitable`
 */
export async function planModelCopy(
  options: Pick<CopyModelOptions, 'model' | 'destination' | 'access' | 'signal' | 'limits'>,
): Promise<ModelPlan> {
  const limits = { ...TRANSFER_DEFAULTS, ...options.limits };
  const uri = formatS3Uri(parseS3Uri(options.destination));
  const { model, access, signal = new AbortController().signal } = options;
  const listing = await listHubModel(model, { ...limits, access, signal });
  const { format, files } = choose(listing);
  const { repository, commit } = listing;
  return { uri, repository, commit, format, files, totalBytes: sum(files) };
}

/**
 * Copies the files of a model that vLLM needs from a hub to S3, in parts and without a disk in between. Every file is
 * checked against the hash that the hub announces before it becomes an object; the manifest comes last.
 *
 * Run again after whatever happened, it goes on where it stopped; where everything is there, it sends nothing. Two that run at
 * once do not harm each other.
 *
 * @throws DeployError `model_mismatch` when bytes are not those announced; `prefix_occupied` when something else lies
 *   there; `hub_…`, `bucket_unusable`, `access_denied`, `throttled`, `aws_…`; or the signal's reason
 */
export async function copyModel(options: CopyModelOptions): Promise<ModelCopy> {
  const location = parseS3Uri(options.destination);
  const { signal = new AbortController().signal } = options;
  const store = new ObjectStore({ ...options, bucket: location.bucket });
  try {
    const there = await findCopy(store, location, options.model, signal);
    return there ?? (await new Copy(options, store, signal).run());
  } catch (error) {
    signal.throwIfAborted();
    throw toDeployError(error);
  }
}

/**
 * The complete copy of a commit that lies in a prefix already. S3's own checksum of every file must be the one written
 * down.
 *
 * @throws DeployError `prefix_occupied` when it is a copy of another model
 */
async function findCopy(
  store: ObjectStore,
  location: S3Location,
  { repository, revision }: HubModel,
  signal: AbortSignal,
): Promise<ModelCopy | undefined> {
  const { prefix } = location;
  const text = await store.readText(`${prefix}${MANIFEST_NAME}`, ARTEFACT_LIMITS.manifestBytesMax, signal);
  const manifest = parseManifest(text ?? '');
  if (manifest === undefined) return undefined;
  if (manifest.repository !== repository || (isCommit(revision) && manifest.commit !== revision)) {
    throw new DeployError('prefix_occupied');
  }
  // A branch may have moved on since.
  if (!isCommit(revision)) return undefined;
  for (const { path, sizeBytes, checksum } of manifest.files) {
    const object = await store.head(`${prefix}${path}`, signal);
    if (object?.sizeBytes !== sizeBytes || object.checksum !== checksum) return undefined;
  }
  // A copy that broke off between its manifest and its end leaves its state behind.
  const key = `${prefix}${STATE_NAME}`;
  if ((await store.head(key, signal)) !== undefined) await store.remove([key], signal);
  return { ...manifest, uri: formatS3Uri(location), sentBytes: 0 };
}

/** One run. */
class Copy {
  readonly #options: CopyModelOptions;
  readonly #limits: TransferLimits;
  readonly #location: S3Location;
  readonly #store: ObjectStore;
  readonly #signal: AbortSignal;

  constructor(options: CopyModelOptions, store: ObjectStore, signal: AbortSignal) {
    this.#options = options;
    this.#limits = { ...TRANSFER_DEFAULTS, ...options.limits };
    this.#location = parseS3Uri(options.destination);
    this.#store = store;
    this.#signal = signal;
  }

  async run(): Promise<ModelCopy> {
    const signal = this.#signal;
    const { access, model, onProgress = () => undefined } = this.#options;
    const listing = await listHubModel(model, { ...this.#limits, access, signal });
    const pinned = { repository: listing.repository, revision: listing.commit };
    if (!isCommit(model.revision)) {
      const there = await findCopy(this.#store, this.#location, pinned, signal);
      if (there !== undefined) return there;
    }
    const { format, files } = choose(listing);
    const uploads = await this.#lookAround(files);
    const state = new UploadState(this.#store, this.#location.prefix, listing);
    await state.load(signal);

    const meter = new ProgressMeter(sum(files), onProgress);
    const records: FileRecord[] = [];
    // The short ones first: what is wrong with the access shows before hours have passed.
    for (const file of files.toSorted((one, other) => one.sizeBytes - other.sizeBytes)) {
      meter.begin(file.path);
      records.push(await this.#copyOne(file, { listing, uploads, state, meter }));
      meter.end();
    }
    const { repository, commit } = listing;
    const manifest: ModelManifest = { repository, commit, format, files: records, totalBytes: sum(records) };
    const key = `${this.#location.prefix}${MANIFEST_NAME}`;
    await this.#store.put(key, encodeManifest(manifest), 'application/json', signal);
    await state.remove(signal);
    return { ...manifest, uri: formatS3Uri(this.#location), sentBytes: meter.sentBytes };
  }

  async #copyOne(
    file: HubFile,
    run: {
      readonly listing: HubListing;
      readonly uploads: readonly UnfinishedUpload[];
      readonly state: UploadState;
      readonly meter: ProgressMeter;
    },
  ): Promise<FileRecord> {
    const key = `${this.#location.prefix}${file.path}`;
    const { listing, uploads, state, meter } = run;
    const known = state.recordOf(file);
    if (known !== undefined) {
      const object = await this.#store.head(key, this.#signal);
      if (object?.sizeBytes === known.sizeBytes && object.checksum === known.checksum) {
        meter.add(file.sizeBytes, true);
        return known;
      }
    }
    const { repository, commit } = listing;
    const task: FileTask = {
      source: new HubSource(file, { ...this.#limits, access: this.#options.access, repository, commit }),
      key,
      store: this.#store,
      state,
      uploads: uploads.filter((upload) => upload.key === key),
      limits: this.#limits,
      onSettled: (bytes, wasThere) => meter.add(bytes, wasThere),
    };
    const record = await copyFile(task, this.#signal);
    await state.saveRecord(record, this.#signal);
    return record;
  }

  /**
   * Refuses a prefix that holds anything else: SageMaker copies all of it into the container, and one stray `config.json`
   * makes vLLM read another model. Ends uploads that nobody will take up again.
   *
   * @returns Those that can be taken up
   */
  async #lookAround(files: readonly HubFile[]): Promise<readonly UnfinishedUpload[]> {
    const { prefix } = this.#location;
    const ours = new Set([MANIFEST_NAME, STATE_NAME, '', ...files.map(({ path }) => path)]);
    const objects = await this.#store.list(prefix, this.#signal);
    if (objects.some(({ key }) => !ours.has(key.slice(prefix.length))))
      throw new DeployError('prefix_occupied');
    const kept: UnfinishedUpload[] = [];
    for (const upload of await this.#store.listUploads(prefix, this.#signal)) {
      const ageMs = Date.now() - Number(upload.beganAt);
      const isUsable = ours.has(upload.key.slice(prefix.length)) && upload.hasSha256;
      const ageMsMax = isUsable ? ARTEFACT_LIMITS.uploadAgeMsMax : ARTEFACT_LIMITS.foreignUploadAgeMsMax;
      if (ageMs > ageMsMax) await this.#store.abort(upload.key, upload.uploadId, this.#signal);
      else if (isUsable) kept.push(upload);
    }
    return kept;
  }
}

function choose(listing: HubListing): { readonly format: ModelFormat; readonly files: readonly HubFile[] } {
  const choice = chooseModelFiles(listing.files);
  if (choice.missing !== undefined) {
    throw new DeployError('model_unsuitable', {
      sentence: `The repository holds no model that vLLM can load: ${choice.missing.slice(0, 3).join(', ')} is missing. See docs/aws-model.md for the files that are needed.`,
    });
  }
  if (choice.files.some(({ sizeBytes }) => sizeBytes > ARTEFACT_LIMITS.fileBytesMax)) {
    throw new DeployError('model_unsuitable', { sentence: 'A file of the model is larger than S3 takes.' });
  }
  if (choice.files.length > ARTEFACT_LIMITS.filesMax) {
    throw new DeployError('model_unsuitable', { sentence: 'The model is in more files than are copied.' });
  }
  return choice;
}

function sum(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
