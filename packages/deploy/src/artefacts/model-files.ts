/** How a model's files are laid out: as Mistral publishes them, or as the Transformers library does. */
export type ModelFormat = 'mistral' | 'huggingface';

/** What was chosen of a repository, or what it lacks. */
export type FileChoice<File> =
  | { readonly format: ModelFormat; readonly files: readonly File[]; readonly missing?: never }
  | { readonly missing: readonly string[]; readonly format?: never; readonly files?: never };

interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
}

/**
 * What vLLM reads of a folder (its `default_loader`, `config` and tokenizer loading, version 0.17 to 0.27), and nothing else.
 *
 * Mistral's layout comes first, because vLLM does the same: where `consolidated*.safetensors` lies, `--load-format auto`
 * takes that. Many repositories hold both; the other half is left behind, and with it `config.json`, whose presence would
 * make `--config-format auto` read the wrong one. Pickled weights (`*.bin`, `*.pt`) and Python are never taken: both are
 * programs that would run on loading.
 */
const LAYOUTS: readonly {
  readonly format: ModelFormat;
  /** Weights, one file or shards. */
  readonly weights: Rule;
  /** Without these it does not start. */
  readonly needed: readonly Rule[];
  /** Taken where they are. */
  readonly optional: readonly RegExp[];
}[] = [
  {
    format: 'mistral',
    weights: { what: 'consolidated.safetensors', pattern: /^consolidated(-\d{5}-of-\d{5})?\.safetensors$/ },
    needed: [
      { what: 'params.json', pattern: /^params\.json$/ },
      { what: 'tekken.json', pattern: /^(tekken\.json|tokenizer\.model(\.v\d+)?)$/ },
    ],
    optional: [/^consolidated\.safetensors\.index\.json$/],
  },
  {
    format: 'huggingface',
    weights: { what: 'model.safetensors', pattern: /^model(-\d{5}-of-\d{5})?\.safetensors$/ },
    needed: [
      { what: 'config.json', pattern: /^config\.json$/ },
      { what: 'tokenizer.json', pattern: /^(tokenizer\.json|tokenizer\.model|tekken\.json|vocab\.json)$/ },
    ],
    optional: [
      /^model\.safetensors\.index\.json$/,
      /^(generation_config|tokenizer_config|special_tokens_map|added_tokens|merges)\.(json|txt)$/,
      /^((video_)?preprocessor_config|processor_config)\.json$/,
      /^chat_template\.(jinja|json)$/,
    ],
  },
];

/**
 * Chooses the files that vLLM needs, from what lies at the top of a repository or of a prefix in S3.
 *
 * @returns The choice, in the order given; or what is missing of the layout that comes nearest
 */
export function chooseModelFiles<File extends { readonly path: string }>(
  files: readonly File[],
): FileChoice<File> {
  const lacks: string[][] = [];
  for (const { format, weights, needed, optional } of LAYOUTS) {
    const matches = ({ pattern }: Rule): readonly File[] => files.filter(({ path }) => pattern.test(path));
    const missing = [
      ...missingWeights(
        weights,
        matches(weights).map(({ path }) => path),
      ),
      ...needed.filter((rule) => matches(rule).length === 0).map(({ what }) => what),
    ];
    if (missing.length === 0) {
      const patterns = [weights.pattern, ...needed.map(({ pattern }) => pattern), ...optional];
      return { format, files: files.filter(({ path }) => patterns.some((pattern) => pattern.test(path))) };
    }
    lacks.push(missing);
  }
  const [mistral = [], huggingface = []] = lacks;
  return { missing: huggingface.length < mistral.length ? huggingface : mistral };
}

/** One whole file, or every shard of the number that their names say. */
function missingWeights({ what, pattern }: Rule, paths: readonly string[]): readonly string[] {
  if (paths.includes(what)) return [];
  const shards = new Set(paths);
  const [, count = ''] = /-of-(\d{5})\.safetensors$/.exec(paths.at(0) ?? '') ?? [];
  if (count === '' || !pattern.test(paths.at(0) ?? '')) return [what];
  const stem = what.replace('.safetensors', '');
  const all = Array.from({ length: Number(count) }, (_, index) => {
    return `${stem}-${String(index + 1).padStart(5, '0')}-of-${count}.safetensors`;
  });
  return all.filter((shard) => !shards.has(shard));
}
