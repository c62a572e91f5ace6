import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { BrokenOffError } from '@kikitori/core/hub';
import { partChecksum } from './file-digest.js';
import { ARTEFACT_LIMITS } from './limits.js';
import { statusOf } from './network-failure.js';
import { type RetryOptions, retry } from './retry.js';
import { Watchdog } from './watchdog.js';

/** An object as a list or a question tells it. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** S3's SHA-256 in base64, of the object or of its parts; only where it was asked for one object. */
  readonly checksum: string | undefined;
}

/** An upload that nobody finished yet. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly beganAt: Date;
  readonly hasSha256: boolean;
}

/** A part that S3 holds. */
export interface StoredPart {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum: string | undefined;
}

export interface StoreOptions {
  readonly s3: S3Client;
  readonly bucket: string;
  /**
   * The account that the bucket must belong to. The names of our buckets can be guessed, and somebody else may have made one
   * of that name before: S3 then refuses instead of taking our files there.
   */
  readonly bucketOwner: string | undefined;
  readonly retryDelayMs: number;
  readonly rateLimitMsMax: number;
  readonly sendTimeoutMs: number;
}

/** The calls of S3 that the copy needs. Each has a time to answer in, is tried again where that helps, and can be called off. */
export class ObjectStore {
  readonly #options: StoreOptions;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** Everything below a prefix, in the order of the keys. */
  async list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    let token: string | undefined;
    for (let pages = 0; pages < ARTEFACT_LIMITS.s3PagesMax; pages += 1) {
      const page = await this.#call(signal, (s3, target, abort) =>
        s3.send(new ListObjectsV2Command({ ...target, Prefix: prefix, ContinuationToken: token }), abort),
      );
      for (const { Key: key, Size: sizeBytes } of page.Contents ?? []) {
        if (key !== undefined) found.push({ key, sizeBytes: sizeBytes ?? 0, checksum: undefined });
      }
      token = page.NextContinuationToken;
      if (page.IsTruncated !== true || token === undefined) break;
    }
    return found;
  }

  /** One object with its checksum, or undefined where there is none. */
  async head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    return await this.#orMissing(async () => {
      const head = await this.#call(signal, (s3, target, abort) =>
        s3.send(new HeadObjectCommand({ ...target, Key: key, ChecksumMode: 'ENABLED' }), abort),
      );
      return { key, sizeBytes: head.ContentLength ?? 0, checksum: head.ChecksumSHA256 };
    });
  }

  /** The text of a short object; undefined where there is none, or where it is longer than `bytesMax`. */
  async readText(key: string, bytesMax: number, signal?: AbortSignal): Promise<string | undefined> {
    return await this.#orMissing(
      async () =>
        await this.#call(signal, async (s3, target, abort) => {
          const { Body, ContentLength = 0 } = await s3.send(
            new GetObjectCommand({ ...target, Key: key }),
            abort,
          );
          if (Body === undefined || ContentLength > bytesMax) {
            if (Body !== undefined && 'destroy' in Body) Body.destroy();
            return undefined;
          }
          return await Body.transformToString('utf8');
        }),
    );
  }

  /** Writes an object in one piece. S3 refuses it when the bytes are not those of the checksum. */
  async put(key: string, body: Uint8Array, contentType: string, signal?: AbortSignal): Promise<string> {
    const checksum = partChecksum(body);
    await this.#call(
      signal,
      (s3, target, abort) =>
        s3.send(
          new PutObjectCommand({
            ...target,
            Key: key,
            Body: body,
            ContentLength: body.length,
            ContentType: contentType,
            ChecksumSHA256: checksum,
          }),
          abort,
        ),
      this.#options.sendTimeoutMs,
    );
    return checksum;
  }

  /** Removes objects, a thousand at a time. Keys that are not there count as removed. @returns Those that S3 kept */
  async remove(keys: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const kept: string[] = [];
    for (let at = 0; at < keys.length; at += 1_000) {
      const Objects = keys.slice(at, at + 1_000).map((Key) => ({ Key }));
      const { Errors = [] } = await this.#call(signal, (s3, target, abort) =>
        s3.send(new DeleteObjectsCommand({ ...target, Delete: { Objects, Quiet: true } }), abort),
      );
      kept.push(...Errors.flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
    }
    return kept;
  }

  /** Begins an upload in parts, each with a SHA-256 of its own. @returns Its id */
  async begin(key: string, signal?: AbortSignal): Promise<string> {
    const { UploadId } = await this.#call(signal, (s3, target, abort) =>
      s3.send(
        new CreateMultipartUploadCommand({
          ...target,
          Key: key,
          ContentType: 'application/octet-stream',
          ChecksumAlgorithm: 'SHA256',
          ChecksumType: 'COMPOSITE',
        }),
        abort,
      ),
    );
    if (UploadId === undefined) throw new BrokenOffError('S3 began an upload without saying which.');
    return UploadId;
  }

  /** Sends one part. @returns S3's tag of it */
  async sendPart(
    part: {
      readonly key: string;
      readonly uploadId: string;
      readonly partNumber: number;
      readonly body: Uint8Array;
      readonly checksum: string;
    },
    signal?: AbortSignal,
  ): Promise<string> {
    const { ETag } = await this.#call(
      signal,
      (s3, target, abort) =>
        s3.send(
          new UploadPartCommand({
            ...target,
            Key: part.key,
            UploadId: part.uploadId,
            PartNumber: part.partNumber,
            Body: part.body,
            ContentLength: part.body.length,
            ChecksumSHA256: part.checksum,
          }),
          abort,
        ),
      this.#options.sendTimeoutMs,
    );
    if (ETag === undefined) throw new BrokenOffError('S3 took a part without saying its tag.');
    return ETag;
  }

  /**
   * Ends an upload: its parts become the object. S3 refuses when a part or the whole length is another one.
   *
   * @returns Whether it is done; false when S3 does not know the upload (any more)
   */
  async complete(
    upload: {
      readonly key: string;
      readonly uploadId: string;
      readonly sizeBytes: number;
      readonly parts: readonly { readonly etag: string; readonly checksum: string }[];
    },
    signal?: AbortSignal,
  ): Promise<boolean> {
    const Parts = upload.parts.map(({ etag, checksum }, index) => ({
      PartNumber: index + 1,
      ETag: etag,
      ChecksumSHA256: checksum,
    }));
    const done = await this.#orMissing(
      async () =>
        await this.#call(
          signal,
          (s3, target, abort) =>
            s3.send(
              new CompleteMultipartUploadCommand({
                ...target,
                Key: upload.key,
                UploadId: upload.uploadId,
                MpuObjectSize: upload.sizeBytes,
                MultipartUpload: { Parts },
              }),
              abort,
            ),
          this.#options.sendTimeoutMs,
        ),
    );
    return done !== undefined;
  }

  /** Ends an upload and lets go of its parts. One that is gone already is no failure. */
  async abort(key: string, uploadId: string, signal?: AbortSignal): Promise<void> {
    await this.#orMissing(
      async () =>
        await this.#call(signal, (s3, target, abort) =>
          s3.send(new AbortMultipartUploadCommand({ ...target, Key: key, UploadId: uploadId }), abort),
        ),
    );
  }

  /** Uploads below a prefix that nobody finished. */
  async listUploads(prefix: string, signal?: AbortSignal): Promise<readonly UnfinishedUpload[]> {
    const found: UnfinishedUpload[] = [];
    let marker: { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined } =
      {};
    for (let pages = 0; pages < ARTEFACT_LIMITS.s3PagesMax; pages += 1) {
      const at = marker;
      const page = await this.#call(signal, (s3, target, abort) =>
        s3.send(new ListMultipartUploadsCommand({ ...target, Prefix: prefix, ...at }), abort),
      );
      for (const { Key, UploadId, Initiated, ChecksumAlgorithm } of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
        found.push({
          key: Key,
          uploadId: UploadId,
          beganAt: Initiated,
          hasSha256: ChecksumAlgorithm === 'SHA256',
        });
      }
      marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      if (page.IsTruncated !== true || page.NextKeyMarker === undefined) break;
    }
    return found;
  }

  /** The parts that S3 holds of an upload, in order; undefined where it does not know the upload. */
  async listParts(
    key: string,
    uploadId: string,
    signal?: AbortSignal,
  ): Promise<readonly StoredPart[] | undefined> {
    return await this.#orMissing(async () => {
      const found: StoredPart[] = [];
      let marker: string | undefined;
      for (let pages = 0; pages < ARTEFACT_LIMITS.s3PagesMax; pages += 1) {
        const page = await this.#call(signal, (s3, target, abort) =>
          s3.send(
            new ListPartsCommand({ ...target, Key: key, UploadId: uploadId, PartNumberMarker: marker }),
            abort,
          ),
        );
        for (const { PartNumber, Size, ETag, ChecksumSHA256 } of page.Parts ?? []) {
          if (PartNumber === undefined || ETag === undefined) continue;
          found.push({ partNumber: PartNumber, sizeBytes: Size ?? 0, etag: ETag, checksum: ChecksumSHA256 });
        }
        marker = page.NextPartNumberMarker;
        if (page.IsTruncated !== true || marker === undefined) break;
      }
      return found;
    });
  }

  async #call<T>(
    signal: AbortSignal | undefined,
    send: (
      s3: S3Client,
      target: { readonly Bucket: string; readonly ExpectedBucketOwner?: string },
      abort: { readonly abortSignal: AbortSignal },
    ) => Promise<T>,
    timeoutMs: number = ARTEFACT_LIMITS.callTimeoutMs,
  ): Promise<T> {
    const { s3, bucket, bucketOwner } = this.#options;
    const retrying: RetryOptions = { ...this.#options, signal };
    const owner = bucketOwner === undefined ? {} : { ExpectedBucketOwner: bucketOwner };
    return await retry(async () => {
      const watchdog = new Watchdog(timeoutMs, signal);
      try {
        return await send(s3, { Bucket: bucket, ...owner }, { abortSignal: watchdog.signal });
      } catch (error) {
        throw watchdog.signal.aborted ? watchdog.signal.reason : error;
      } finally {
        watchdog.stop();
      }
    }, retrying);
  }

  /** Undefined where S3 says that there is no such object or upload. A bucket that is not there stays an error. */
  async #orMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const isMissing = error instanceof Error && error.name !== 'NoSuchBucket' && statusOf(error) === 404;
      if (isMissing) return undefined;
      throw error;
    }
  }
}
