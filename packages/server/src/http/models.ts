import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpError } from '../errors.js';
import type { ModelNames } from '../model-aliases.js';
import { sendError, sendJson } from './answers.js';
import { pathOf, type Route } from './router.js';

const CARD_PATH = '/v1/models/';

/** A model that is not there, as the files route says it. */
export const NO_MODEL: HttpError = {
  status: 404,
  message: 'The model does not exist. GET /v1/models lists those that do.',
  param: 'model',
};

/** What stands behind the served names. */
export interface ServedBy {
  /** What serves them; null: not known. */
  readonly root: string | null;
  /** BCP 47 tags of the languages that it hears; none: not known, and not said. */
  readonly languages: readonly string[];
  readonly createdS: number;
  /** Tokens of one utterance of a model server behind this one; null: an utterance may be of any length. */
  readonly maxModelLen: number | null;
}

/**
 * The body of `GET /v1/models` in vLLM's shape; one card for each served name, the default one first. `languages` is
 * ours.
 */
export function modelList(names: readonly string[], served: ServedBy): unknown {
  return {
    object: 'list',
    data: names.map((id) => modelCard(id, served)),
  };
}

/** One card of it, and the body of `GET /v1/models/{id}`. */
export function modelCard(id: string, { root, languages, createdS, maxModelLen }: ServedBy): object {
  return {
    id,
    object: 'model',
    created: createdS,
    owned_by: 'kikitori',
    root,
    parent: null,
    // What is behind this server: here an utterance may be of any length, so clients need not roll over.
    max_model_len: maxModelLen,
    permission: [permission(id, createdS)],
    ...(languages.length === 0 ? {} : { languages }),
  };
}

/** The routes that list models. One is asked for by a name of its list, or by an alias; the name may hold a slash, escaped or not. */
export function modelRoutes(names: ModelNames, served: ServedBy): Readonly<Record<string, Route>> {
  return {
    '/v1/models': {
      guarded: true,
      methods: { GET: (_request, response) => sendJson(response, 200, modelList(names.served, served)) },
    },
    [`${CARD_PATH}*`]: {
      guarded: true,
      methods: { GET: (request, response) => sendCard(request, response, { names, served }) },
    },
  };
}

function sendCard(
  request: IncomingMessage,
  response: ServerResponse,
  { names, served }: { readonly names: ModelNames; readonly served: ServedBy },
): void {
  const id = unescaped(pathOf(request.url ?? '').slice(CARD_PATH.length));
  if (id === '' || names.find(id) === undefined) sendError(response, NO_MODEL);
  else sendJson(response, 200, modelCard(id, served));
}

/** What cannot be read is no model's name. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function permission(id: string, createdS: number): unknown {
  return {
    id: `modelperm-${id}`,
    object: 'model_permission',
    created: createdS,
    allow_create_engine: false,
    allow_sampling: true,
    allow_logprobs: true,
    allow_search_indices: false,
    allow_view: true,
    allow_fine_tuning: false,
    organization: '*',
    group: null,
    is_blocking: false,
  };
}
