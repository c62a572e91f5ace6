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
import { type Client, type Command, callOf } from '../aws/aws.js';
import { noteCall, statusOf } from '../aws/failure.js';
import { pages } from '../aws/pages.js';
import { watched } from '../watchdog.js';
import { partChecksum } from './file-digest.js';
import { ARTEFACT_LIMITS, TRANSFER_DEFAULTS, type TransferLimits } from './limits.js';
import { retry } from './retry.js';

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
  readonly bucketOwner?: string;
  readonly limits?: Partial<TransferLimits> | undefined;
}

/** The bucket, and whose it must be. */
interface Target {
  readonly Bucket: string;
  readonly ExpectedBucketOwner?: string;
}

/** The calls of S3 that the copy needs. Each has a time to answer in, is tried again where that helps, and can be called off. */
export class ObjectStore {
  readonly #options: StoreOptions;
  readonly #limits: TransferLimits;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#limits = { ...TRANSFER_DEFAULTS, ...options.limits };
  }

  /** Everything below a prefix, in the order of the keys. */
  async list(prefix: string, signal: AbortSignal): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    const all = pages(
      ARTEFACT_LIMITS.s3PagesMax,
      (at) =>
        this.ask(
          signal,
          (target) => new ListObjectsV2Command({ ...target, Prefix: prefix, ContinuationToken: at }),
        ),
      ({ IsTruncated, NextContinuationToken }) => (IsTruncated === true ? NextContinuationToken : undefined),
    );
    for await (const { Contents = [] } of all) {
      for (const { Key: key, Size: sizeBytes = 0 } of Contents) {
        if (key !== undefined) found.push({ key, sizeBytes, checksum: undefined });
      }
    }
    return found;
  }

  /** One object with its checksum, or undefined where there is none. */
  async head(key: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    const head = await orMissing(
      this.ask(signal, (target) => new HeadObjectCommand({ ...target, Key: key, ChecksumMode: 'ENABLED' })),
    );
    return head && { key, sizeBytes: head.ContentLength ?? 0, checksum: head.ChecksumSHA256 };
  }

  /** The text of a short object; undefined where there is none, or where it is longer than `bytesMax`. */
  async readText(key: string, bytesMax: number, signal: AbortSignal): Promise<string | undefined> {
    const reading = this.#call(signal, ARTEFACT_LIMITS.callTimeoutMs, async (s3, target, abort) => {
      const { Body, ContentLength = 0 } = await s3.send(new GetObjectCommand({ ...target, Key: key }), abort);
      if (Body === undefined || ContentLength > bytesMax) {
        if (Body !== undefined && 'destroy' in Body) Body.destroy();
        return undefined;
      }
      return await Body.transformToString('utf8');
    });
    return await orMissing(reading);
  }

  /** Writes an object in one piece. S3 refuses it when the bytes are not those of the checksum. */
  async put(key: string, body: Uint8Array, contentType: string, signal: AbortSignal): Promise<string> {
    const checksum = partChecksum(body);
    const input = { Key: key, Body: body, ContentLength: body.length, ContentType: contentType };
    await this.#send(
      signal,
      (target) => new PutObjectCommand({ ...target, ...input, ChecksumSHA256: checksum }),
    );
    return checksum;
  }

  /** Removes objects, a thousand at a time. Keys that are not there count as removed. @returns Those that S3 kept */
  async remove(keys: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    const kept: string[] = [];
    for (let at = 0; at < keys.length; at += 1_000) {
      const Delete = { Objects: keys.slice(at, at + 1_000).map((Key) => ({ Key })), Quiet: true };
      const { Errors = [] } = await this.ask(
        signal,
        (target) => new DeleteObjectsCommand({ ...target, Delete }),
      );
      kept.push(...Errors.flatMap(({ Key }) => Key ?? []));
    }
    return kept;
  }

  /** Begins an upload in parts, each with a SHA-256 of its own. @returns Its id */
  async begin(key: string, signal: AbortSignal): Promise<string> {
    const kind = { ContentType: 'application/octet-stream', ChecksumAlgorithm: 'SHA256' } as const;
    const input = { Key: key, ...kind, ChecksumType: 'COMPOSITE' } as const;
    const { UploadId } = await this.ask(
      signal,
      (target) => new CreateMultipartUploadCommand({ ...target, ...input }),
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
    signal: AbortSignal,
  ): Promise<string> {
    const { key, uploadId, partNumber, body, checksum } = part;
    const input = { Key: key, UploadId: uploadId, PartNumber: partNumber, Body: body };
    const { ETag } = await this.#send(signal, (target) => {
      return new UploadPartCommand({
        ...target,
        ...input,
        ContentLength: body.length,
        ChecksumSHA256: checksum,
      });
    });
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
    signal: AbortSignal,
  ): Promise<boolean> {
    const { key, uploadId, sizeBytes } = upload;
    const Parts = upload.parts.map(({ etag, checksum }, index) => ({
      PartNumber: index + 1,
      ETag: etag,
      ChecksumSHA256: checksum,
    }));
    const input = { Key: key, UploadId: uploadId, MpuObjectSize: sizeBytes, MultipartUpload: { Parts } };
    const done = this.#send(signal, (target) => new CompleteMultipartUploadCommand({ ...target, ...input }));
    return (await orMissing(done)) !== undefined;
  }

  /** Ends an upload and lets go of its parts. One that is gone already is no failure. */
  async abort(key: string, uploadId: string, signal: AbortSignal): Promise<void> {
    const input = { Key: key, UploadId: uploadId };
    await orMissing(this.ask(signal, (target) => new AbortMultipartUploadCommand({ ...target, ...input })));
  }

  /** Uploads below a prefix that nobody finished. */
  async listUploads(prefix: string, signal: AbortSignal): Promise<readonly UnfinishedUpload[]> {
    const found: UnfinishedUpload[] = [];
    const all = pages(
      ARTEFACT_LIMITS.s3PagesMax,
      (at: { readonly KeyMarker: string; readonly UploadIdMarker: string | undefined } | undefined) =>
        this.ask(signal, (target) => new ListMultipartUploadsCommand({ ...target, Prefix: prefix, ...at })),
      ({ IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker }) =>
        IsTruncated === true && KeyMarker !== undefined ? { KeyMarker, UploadIdMarker } : undefined,
    );
    for await (const { Uploads = [] } of all) {
      for (const { Key: key, UploadId: uploadId, Initiated: beganAt, ChecksumAlgorithm } of Uploads) {
        if (key === undefined || uploadId === undefined || beganAt === undefined) continue;
        found.push({ key, uploadId, beganAt, hasSha256: ChecksumAlgorithm === 'SHA256' });
      }
    }
    return found;
  }

  /** The parts that S3 holds of an upload, in order; undefined where it does not know the upload. */
  async listParts(
    key: string,
    uploadId: string,
    signal: AbortSignal,
  ): Promise<readonly StoredPart[] | undefined> {
    const found: StoredPart[] = [];
    const input = { Key: key, UploadId: uploadId };
    const all = pages(
      ARTEFACT_LIMITS.s3PagesMax,
      (at) =>
        this.ask(signal, (target) => new ListPartsCommand({ ...target, ...input, PartNumberMarker: at })),
      ({ IsTruncated, NextPartNumberMarker }) => (IsTruncated === true ? NextPartNumberMarker : undefined),
    );
    const reading = async (): Promise<readonly StoredPart[]> => {
      for await (const { Parts = [] } of all) {
        for (const { PartNumber: partNumber, Size: sizeBytes = 0, ETag: etag, ChecksumSHA256 } of Parts) {
          if (partNumber === undefined || etag === undefined) continue;
          found.push({ partNumber, sizeBytes, etag, checksum: ChecksumSHA256 });
        }
      }
      return found;
    };
    return await orMissing(reading());
  }

  /** Anything else that may be asked of the bucket. */
  async ask<Output>(
    signal: AbortSignal,
    make: (target: Target) => Command<Output>,
    timeoutMs: number = ARTEFACT_LIMITS.callTimeoutMs,
  ): Promise<Output> {
    return await this.#call(signal, timeoutMs, async (s3, target, abort) => {
      const command = make(target);
      try {
        // The command is one of this client's; it says what is answered.
        return (await (s3 as Client).send(command as never, abort)) as Output;
      } catch (error) {
        noteCall(error, callOf('s3', command));
        throw error;
      }
    });
  }

  /** What takes as long as the line needs. */
  #send<Output>(signal: AbortSignal, make: (target: Target) => Command<Output>): Promise<Output> {
    return this.ask(signal, make, this.#limits.sendTimeoutMs);
  }

  async #call<T>(
    signal: AbortSignal,
    timeoutMs: number,
    send: (s3: S3Client, target: Target, abort: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const { s3, bucket, bucketOwner } = this.#options;
    const target = {
      Bucket: bucket,
      ...(bucketOwner === undefined ? {} : { ExpectedBucketOwner: bucketOwner }),
    };
    const once = () => watched(timeoutMs, signal, (abortSignal) => send(s3, target, { abortSignal }));
    return await retry(once, { ...this.#limits, signal });
  }
}

/** Undefined where S3 says that there is no such object or upload. A bucket that is not there stays an error. */
async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const isMissing = error instanceof Error && error.name !== 'NoSuchBucket' && statusOf(error) === 404;
    if (isMissing) return undefined;
    throw error;
  }
}
