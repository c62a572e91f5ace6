import { EngineError } from '@kikitori/engine';
import type { ModelFiles } from '../families/family.js';
import { HttpStatusError } from './failures.js';
import { STORE_LIMITS } from './limits.js';
import { isRecord } from './manifest.js';
import { findModel, WHAT_IS_LOOKED_FOR } from './resolve-files.js';

/** A repository on a hub, from a name such as `hf:onnx-community/moonshine-base-ONNX` or `hf:owner/name@v1`. */
export interface HubName {
  /** `owner/name`. */
  readonly repo: string;
  /** Branch, tag or commit; `main` when the name gives none. */
  readonly revision: string;
}

/** Where a hub is and who asks. */
export interface HubAccess {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | undefined;
}

/** A file of a repository, as the hub announces it. */
export interface HubFile {
  readonly role: string;
  /** In the repository. */
  readonly path: string;
  readonly sizeBytes: number;
  /** What its bytes are checked with: SHA-256 of large files, git's own hash of the others. Lower-case hex. */
  readonly checksum: { readonly algorithm: 'sha256' | 'git'; readonly hex: string };
}

/** What a hub says about a repository at one commit. */
export interface HubListing {
  /** The family that its files are of. */
  readonly kind: string;
  readonly revision: string;
  readonly licence: string;
  readonly languages: readonly string[];
  readonly files: readonly HubFile[];
}

/**
 * Reads `hf:owner/name[@revision]`; undefined for any other kind of name.
 *
 * @throws EngineError `model_invalid` when what follows `hf:` is not the name of a repository
 */
export function parseHubName(name: string): HubName | undefined {
  if (!name.startsWith('hf:')) return undefined;
  const match = /^hf:([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w./-]+))?$/.exec(name);
  const [, repo, revision = 'main'] = match ?? [];
  if (repo === undefined || revision.includes('..')) {
    throw new EngineError(
      'model_invalid',
      'A model on a hub is named hf:owner/name, with @revision behind it if wanted.',
    );
  }
  return { repo, revision };
}

/**
 * Where the hub is: `HF_ENDPOINT` and `HF_TOKEN` of the environment, as Hugging Face's own tools read them.
 *
 * @throws EngineError `model_invalid` where `HF_ENDPOINT` is no address
 */
export function hubAccess(env: Readonly<Record<string, string | undefined>>): HubAccess {
  const { HF_ENDPOINT: endpoint = '', HF_TOKEN: token = '' } = env;
  const address = endpoint === '' ? 'https://huggingface.co' : endpoint.replace(/(?<!\/)\/+$/, '');
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new EngineError(
      'model_invalid',
      'HF_ENDPOINT is no address; set it to one such as https://huggingface.co, or leave it out.',
    );
  }
  const clean = token.trim();
  // A header that cannot be sent would be quoted by the error that says so.
  if (!/^[\x21-\x7e]*$/.test(clean)) {
    throw new EngineError(
      'model_invalid',
      'HF_TOKEN holds characters that no token has; copy it again from your settings.',
    );
  }
  return { endpoint: address, token: clean === '' ? undefined : clean };
}

/**
 * Headers of a request to the hub. The token goes over TLS, or to this machine itself: never in the clear over a
 * network.
 */
export function hubHeaders({ endpoint, token }: HubAccess): Record<string, string> {
  const { protocol, hostname } = new URL(endpoint);
  const isSafe = protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  // Compressed answers would break ranges: they count bytes of the compressed form.
  const plain = { 'accept-encoding': 'identity' };
  return token !== undefined && isSafe ? { ...plain, authorization: `Bearer ${token}` } : plain;
}

/**
 * Asks the hub what a repository holds and picks the files of its Moonshine export.
 *
 * @throws EngineError `model_invalid` when it holds none; HttpStatusError, or what `fetch` throws, when it cannot
 *   be asked
 */
export async function listHubFiles(
  { repo, revision }: HubName,
  access: HubAccess,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<HubListing> {
  const url = `${access.endpoint}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await fetch(url, { headers: hubHeaders(access), signal: signal ?? null });
  if (!response.ok) {
    await response.body?.cancel();
    throw new HttpStatusError(response.status);
  }
  return parseListing(await readBounded(response));
}

async function readBounded(response: Response): Promise<unknown> {
  const blocks: Uint8Array[] = [];
  let totalBytes = 0;
  for await (const block of response.body ?? []) {
    totalBytes += block.length;
    if (totalBytes > STORE_LIMITS.listingBytesMax) throw notAHub();
    blocks.push(block);
  }
  try {
    return JSON.parse(Buffer.concat(blocks).toString('utf8'));
  } catch {
    throw notAHub();
  }
}

function parseListing(value: unknown): HubListing {
  if (!isRecord(value)) throw notAHub();
  const { sha, siblings, cardData } = value;
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) throw notAHub();
  const entries = new Map<string, Readonly<Record<string, unknown>>>();
  for (const sibling of siblings) {
    if (!isRecord(sibling)) continue;
    const { rfilename } = sibling;
    if (typeof rfilename === 'string') entries.set(rfilename, sibling);
  }
  const found = findModel(new Set(entries.keys()));
  if (found === undefined) {
    throw new EngineError('model_invalid', `The hub repository holds no ${WHAT_IS_LOOKED_FOR}.`);
  }
  const { license, language } = isRecord(cardData) ? cardData : {};
  return {
    kind: found.family.name,
    revision: sha,
    licence: typeof license === 'string' ? license : 'unknown',
    languages: [language].flat().filter((tag) => typeof tag === 'string'),
    files: pickFiles(found.files, entries),
  };
}

function pickFiles(
  files: ModelFiles,
  entries: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): readonly HubFile[] {
  return Object.entries(files).flatMap(([role, path]) => {
    const entry = entries.get(path);
    return entry === undefined ? [] : [parseFile(role, path, entry)];
  });
}

function parseFile(role: string, path: string, entry: Readonly<Record<string, unknown>>): HubFile {
  const { size, blobId, lfs } = entry;
  const { sha256 } = isRecord(lfs) ? lfs : {};
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw notAHub();
  if (size > STORE_LIMITS.fileBytesMax) {
    throw new EngineError('model_invalid', 'A file of the hub repository is too large for a model.');
  }
  if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)) {
    return { role, path, sizeBytes: size, checksum: { algorithm: 'sha256', hex: sha256 } };
  }
  if (typeof blobId === 'string' && /^[0-9a-f]{40}$/.test(blobId)) {
    return { role, path, sizeBytes: size, checksum: { algorithm: 'git', hex: blobId } };
  }
  throw notAHub();
}

function notAHub(): EngineError {
  return new EngineError(
    'model_unavailable',
    'The answer is not that of a model hub. Check HF_ENDPOINT: a proxy or a login page may be in between.',
  );
}
