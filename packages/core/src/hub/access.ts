import { HubError } from './failures.js';

/** Where a model hub is and who asks. */
export interface HubAccess {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Goes to the endpoint's own origin only, over TLS or to this machine. Never into a log. */
  readonly token: string | undefined;
}

/** A repository of a hub at a branch, a tag or a commit. */
export interface HubName {
  /** `owner/name`. */
  readonly repository: string;
  /** Undefined where the name gives none. */
  readonly revision: string | undefined;
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * `HF_ENDPOINT` and `HF_TOKEN` of the environment, as Hugging Face's own tools read them.
 *
 * @throws HubError `invalid` where one cannot be used; the token is not quoted
 */
export function hubAccess(env: Readonly<Record<string, string | undefined>>): HubAccess {
  const { HF_ENDPOINT: endpoint = '', HF_TOKEN: token = '' } = env;
  const address = endpoint === '' ? 'https://huggingface.co' : endpoint.replace(/(?<!\/)\/+$/, '');
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new HubError(
      'invalid',
      'HF_ENDPOINT is no address; set it to one such as https://huggingface.co, or leave it out.',
    );
  }
  const clean = token.trim();
  // A header that cannot be sent would be quoted by the error that says so.
  if (!/^[\x21-\x7e]*$/.test(clean)) {
    throw new HubError(
      'invalid',
      'HF_TOKEN holds characters that no token has; copy it again from your settings.',
    );
  }
  return { endpoint: address, token: clean === '' ? undefined : clean };
}

/** Reads `owner/name`, with `@revision` behind it if wanted and `hf:` in front if liked; undefined for anything else. */
export function parseHubName(name: string): HubName | undefined {
  const match = /^(?:hf:)?([\w-][\w.-]*\/[\w-][\w.-]*)(?:@(\w[\w./-]*))?$/.exec(name);
  const [, repository, revision] = match ?? [];
  if (repository === undefined || name.includes('..')) return undefined;
  return { repository, revision };
}

/** True for the hash of a commit, which says what it is for ever. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** The token for a request to this address, or nothing. */
export function tokenFor(url: URL, { endpoint, token }: HubAccess): string | undefined {
  const isSafe = url.protocol === 'https:' || LOOPBACK.has(url.hostname);
  return isSafe && url.origin === new URL(endpoint).origin ? token : undefined;
}

/** True when a request may be sent on to this address: over TLS, or on this machine. */
export function isSafeTarget(url: URL, from: URL): boolean {
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && (from.protocol === 'http:' || LOOPBACK.has(url.hostname));
}

/** Where a file of a repository is, as the hub sends everybody to it. */
export function addressOf(
  path: string,
  { access, repository, commit }: { access: HubAccess; repository: string; commit: string },
): URL {
  const escaped = path.split('/').map(encodeURIComponent).join('/');
  return new URL(`${access.endpoint}/${repository}/resolve/${commit}/${escaped}`);
}
