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
export function modelList(
  names: readonly string[],
  { root, languages, createdS, maxModelLen }: ServedBy,
): unknown {
  return {
    object: 'list',
    data: names.map((id) => ({
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
    })),
  };
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
