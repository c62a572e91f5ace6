import {
  type HubAccess,
  HubError,
  type HubFile,
  type HubName,
  listHubFiles,
  parseHubName,
  hubAccess as readAccess,
} from '@kikitori/core/hub';
import { EngineError } from '@kikitori/engine';
import { STORE_LIMITS } from './limits.js';
import { findModel, WHAT_IS_LOOKED_FOR } from './resolve-files.js';

/** A file of a model, as the hub announces it. */
export interface ModelHubFile extends HubFile {
  readonly role: string;
}

/** A model of a hub at one commit. */
export interface HubModel {
  /** The family that its files are of. */
  readonly kind: string;
  readonly commit: string;
  readonly licence: string;
  readonly languages: readonly string[];
  readonly files: readonly ModelHubFile[];
}

/**
 * Reads `hf:owner/name[@revision]`; undefined for any other kind of name.
 *
 * @throws EngineError `model_invalid` when what follows `hf:` is not the name of a repository
 */
export function hubNameOf(name: string): HubName | undefined {
  if (!name.startsWith('hf:')) return undefined;
  const hub = parseHubName(name);
  if (hub !== undefined) return hub;
  throw new EngineError(
    'model_invalid',
    'A model on a hub is named hf:owner/name, with @revision behind it if wanted.',
  );
}

/**
 * Where the hub is, by the environment.
 *
 * @throws EngineError `model_invalid` where it cannot be used
 */
export function hubAccess(env: Readonly<Record<string, string | undefined>>): HubAccess {
  try {
    return readAccess(env);
  } catch (error) {
    throw told(error);
  }
}

/**
 * Asks the hub what a repository holds and picks the files of a model that we know.
 *
 * @throws EngineError `model_invalid` when it holds none; HttpStatusError, or what `fetch` throws, when it cannot
 *   be asked
 */
export async function findHubModel(
  name: HubName,
  access: HubAccess,
  signal: AbortSignal | undefined,
): Promise<HubModel> {
  const { commit, licence, languages, files } = await listHubFiles(name, { access, signal }).catch(
    (error: unknown) => {
      throw told(error);
    },
  );
  const found = findModel(new Set(files.map(({ path }) => path)));
  if (found === undefined) {
    throw new EngineError('model_invalid', `The hub repository holds no ${WHAT_IS_LOOKED_FOR}.`);
  }
  const picked = Object.entries(found.files).flatMap(([role, path]) =>
    files.filter((file) => file.path === path).map((file) => ({ ...file, role })),
  );
  if (picked.some(({ sizeBytes }) => sizeBytes > STORE_LIMITS.fileBytesMax)) {
    throw new EngineError('model_invalid', 'A file of the hub repository is too large for a model.');
  }
  return { kind: found.family.name, commit, licence, languages, files: picked };
}

function told(error: unknown): unknown {
  if (!(error instanceof HubError)) return error;
  const code = error.code === 'invalid' ? 'model_invalid' : 'model_unavailable';
  return new EngineError(code, error.message, { cause: error });
}
