import { DeployError } from '../errors.js';

/** Where a model hub is and who asks. */
export interface HubAccess {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Goes to the endpoint's own origin only, over TLS or to this machine. Never into a log. */
  readonly token: string | undefined;
}

/** A repository of a hub at a branch, a tag or a commit. */
export interface HubModel {
  /** `owner/name`. */
  readonly repository: string;
  readonly revision: string;
}

/** What is deployed when nothing else is said: the commit pins every byte. Apache-2.0, 8.9 GB in the Mistral format. */
export const VOXTRAL_REALTIME: HubModel = {
  repository: 'mistralai/Voxtral-Mini-4B-Realtime-2602',
  revision: '2769294da9567371363522aac9bbcfdd19447add',
};

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** `HF_ENDPOINT` and `HF_TOKEN` of the environment, as Hugging Face's own tools read them. */
export function hubAccess(env: Readonly<Record<string, string | undefined>>): HubAccess {
  const { HF_ENDPOINT: endpoint = '', HF_TOKEN: token = '' } = env;
  const address = endpoint === '' ? 'https://huggingface.co' : endpoint.replace(/(?<!\/)\/+$/, '');
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new DeployError('invalid_setting', {
      sentence: 'HF_ENDPOINT is no address; set it to one such as https://huggingface.co, or leave it out.',
    });
  }
  const clean = token.trim();
  // A header that cannot be sent would be quoted by the error that says so.
  if (!/^[\x21-\x7e]*$/.test(clean)) {
    throw new DeployError('invalid_setting', {
      sentence: 'HF_TOKEN holds characters that no token has; copy it again from your settings.',
    });
  }
  return { endpoint: address, token: clean === '' ? undefined : clean };
}

/**
 * Reads `owner/name`, with `@revision` behind it if wanted and `hf:` in front if liked.
 *
 * @throws DeployError `invalid_setting`
 */
export function parseHubModel(name: string): HubModel {
  const match = /^(?:hf:)?([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w][\w./-]*))?$/.exec(name);
  const [, repository, revision] = match ?? [];
  if (repository === undefined || repository.includes('..') || revision?.includes('..') === true) {
    throw new DeployError('invalid_setting', {
      sentence: 'A model of the hub is named owner/name, with @revision behind it if wanted.',
    });
  }
  const usual = repository === VOXTRAL_REALTIME.repository ? VOXTRAL_REALTIME.revision : 'main';
  return { repository, revision: revision ?? usual };
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
