import { DeployError } from '../errors.js';
import { type HubAccess, type HubModel, isCommit } from './hub-access.js';
import { toHubError } from './hub-error.js';
import { readShort, requestHub } from './hub-request.js';
import { isRecord, parseJson } from './json.js';
import { ARTEFACT_LIMITS } from './limits.js';
import { type RetryOptions, retry } from './retry.js';
import { Watchdog } from './watchdog.js';

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

/** What lies at the top of a repository at one commit. */
export interface HubListing {
  readonly repository: string;
  readonly commit: string;
  readonly files: readonly HubFile[];
}

export interface ListOptions extends RetryOptions {
  readonly access: HubAccess;
  readonly stallTimeoutMs: number;
}

/**
 * Asks the hub which commit a revision is, and what lies at the top of the repository there. Folders are left out: vLLM reads
 * none.
 *
 * @throws DeployError `hub_refused`, `hub_not_found`, `hub_unreachable`
 */
export async function listHubModel(model: HubModel, options: ListOptions): Promise<HubListing> {
  const { repository } = model;
  const api = `${options.access.endpoint}/api/models/${repository}`;
  try {
    const commit = isCommit(model.revision) ? model.revision : await findCommit(api, model, options);
    const files: HubFile[] = [];
    let url: URL | undefined = new URL(`${api}/tree/${commit}`);
    for (let pages = 0; url !== undefined; pages += 1) {
      if (pages === ARTEFACT_LIMITS.listingPagesMax) throw notAHub();
      const page = await ask(url, options);
      files.push(...parsePage(page.value));
      url = page.next;
    }
    return { repository, commit, files };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toHubError(error);
  }
}

async function findCommit(api: string, { revision }: HubModel, options: ListOptions): Promise<string> {
  const { value } = await ask(new URL(`${api}/revision/${encodeURIComponent(revision)}`), options);
  const sha = isRecord(value) ? value['sha'] : undefined;
  if (typeof sha !== 'string' || !isCommit(sha)) throw notAHub();
  return sha;
}

async function ask(
  url: URL,
  options: ListOptions,
): Promise<{ readonly value: unknown; readonly next: URL | undefined }> {
  const { access, signal, stallTimeoutMs } = options;
  return await retry(async () => {
    const watchdog = new Watchdog(stallTimeoutMs, signal);
    try {
      const response = await requestHub(url, { access, signal: watchdog.signal });
      const value = parseJson(await readShort(response, ARTEFACT_LIMITS.listingBytesMax));
      return { value, next: nextPage(response.headers.get('link'), url) };
    } finally {
      watchdog.stop();
    }
  }, options);
}

/** RFC 8288: `<https://…?cursor=…>; rel="next"`. A page elsewhere would be shown the token. */
function nextPage(link: string | null, url: URL): URL | undefined {
  const [, address] = /<([^<>]*)>;\s*rel="?next"?/.exec(link ?? '') ?? [];
  if (address === undefined) return undefined;
  const next = URL.canParse(address, url.href) ? new URL(address, url) : undefined;
  if (next === undefined || next.origin !== url.origin) throw notAHub();
  return next;
}

function parsePage(value: unknown): readonly HubFile[] {
  if (!Array.isArray(value)) throw notAHub();
  return value.flatMap((entry: unknown) => {
    if (!isRecord(entry)) throw notAHub();
    return entry['type'] === 'file' ? [parseFile(entry)] : [];
  });
}

function parseFile({ path, size, oid, lfs }: Readonly<Record<string, unknown>>): HubFile {
  const large = isRecord(lfs) ? lfs : undefined;
  // The pointer's own size is that of the file behind it; where both are given they must agree.
  const sizeBytes = large?.['size'] ?? size;
  if (typeof path !== 'string' || typeof sizeBytes !== 'number') throw notAHub();
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > ARTEFACT_LIMITS.fileBytesMax) {
    throw notAHub();
  }
  const sha256 = large?.['oid'];
  if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)) {
    return { path, sizeBytes, checksum: { algorithm: 'sha256', hex: sha256 } };
  }
  if (large === undefined && typeof oid === 'string' && /^[0-9a-f]{40}$/.test(oid)) {
    return { path, sizeBytes, checksum: { algorithm: 'git', hex: oid } };
  }
  throw notAHub();
}

function notAHub(): DeployError {
  return new DeployError('hub_unreachable', {
    sentence:
      'The answer is not that of a model hub. Check HF_ENDPOINT: a proxy or a login page may be in between.',
  });
}
