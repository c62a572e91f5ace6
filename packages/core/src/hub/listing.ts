import { isRecord, parseJson } from '../json.js';
import { type HubAccess, type HubName, isCommit } from './access.js';
import { HubError } from './failures.js';
import { readShort, requestHub } from './request.js';

/** What a hub says of a repository: thousands of files fit. A longer answer is none of a hub. */
const LISTING_BYTES_MAX = 8 * 1024 * 1024;

/** What the bytes of a file are checked with, in lower-case hex. */
export interface FileChecksum {
  /** `sha256` of large files; `git`: SHA-1 of `blob SIZE\0` and the bytes, of the others. */
  readonly algorithm: 'sha256' | 'git';
  readonly hex: string;
}

/** A file of a repository, as the hub announces it. */
export interface HubFile {
  /** In the repository. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly checksum: FileChecksum;
}

/** What a hub says about a repository at one commit. */
export interface HubListing {
  readonly repository: string;
  readonly commit: string;
  readonly licence: string;
  /** What its card says that the model hears. */
  readonly languages: readonly string[];
  readonly files: readonly HubFile[];
}

/**
 * Asks the hub which commit a revision is (`main` where none is named), and what the repository holds there.
 *
 * @throws HubError `not_a_hub`; HttpStatusError, or what `fetch` throws, when it cannot be asked
 */
export async function listHubFiles(
  { repository, revision = 'main' }: HubName,
  { access, signal }: { readonly access: HubAccess; readonly signal: AbortSignal | undefined },
): Promise<HubListing> {
  const path = `api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await requestHub(new URL(`${access.endpoint}/${path}`), { access, signal });
  const answer = parseJson((await readShort(response, LISTING_BYTES_MAX)) ?? '');
  if (!isRecord(answer)) throw notAHub();
  const { sha, siblings, cardData } = answer;
  if (typeof sha !== 'string' || !isCommit(sha) || !Array.isArray(siblings)) throw notAHub();
  // A commit is what was asked for, and nothing else.
  if (isCommit(revision) && sha !== revision) throw notAHub();
  const { license, language } = isRecord(cardData) ? cardData : {};
  return {
    repository,
    commit: sha,
    licence: typeof license === 'string' ? license : 'unknown',
    languages: [language].flat().filter((tag) => typeof tag === 'string'),
    files: siblings.map(parseFile),
  };
}

function parseFile(entry: unknown): HubFile {
  if (!isRecord(entry)) throw notAHub();
  const { rfilename: path, size, blobId, lfs } = entry;
  // A large file lies elsewhere, with a pointer of its own size in the repository.
  const { sha256, size: largeBytes } = isRecord(lfs) ? lfs : {};
  const sizeBytes = largeBytes ?? size;
  if (typeof path !== 'string' || typeof sizeBytes !== 'number') throw notAHub();
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw notAHub();
  if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)) {
    return { path, sizeBytes, checksum: { algorithm: 'sha256', hex: sha256 } };
  }
  if (!isRecord(lfs) && typeof blobId === 'string' && /^[0-9a-f]{40}$/.test(blobId)) {
    return { path, sizeBytes, checksum: { algorithm: 'git', hex: blobId } };
  }
  throw notAHub();
}

function notAHub(): HubError {
  return new HubError(
    'not_a_hub',
    'The answer is not that of a model hub. Check HF_ENDPOINT: a proxy or a login page may be in between.',
  );
}
