/** Voxtral Realtime's tokens for an utterance: what stands in front, at the longest delay, … */
const PROMPT_TOKENS = 33 + 30;
/** … one for each 80 ms of audio, … */
const TOKENS_PER_SECOND = 12.5;
/** … and silence behind it. */
const PADDING_TOKENS = 30 + 11;

/** How many sessions another server carries, and how that is known. */
export interface PlacesFound {
  readonly places: number;
  /** Such as `65,536 tokens of KV cache, 1,604 for the longest utterance`. */
  readonly because: string;
}

/** What is known of the utterances that it will be given. */
export interface UtteranceBounds {
  /** Tokens that one may take there; undefined: not known. */
  readonly maxModelLen: number | undefined;
  /** The longest that is let run, milliseconds. */
  readonly utteranceMsMax: number;
}

/**
 * What a server's own metrics (Prometheus text) say of how many sessions it carries: of vLLM the KV cache, which every running
 * utterance fills; of a server of ours its places. Undefined where they say neither.
 */
export function placesIn(metrics: string, bounds: UtteranceBounds): PlacesFound | undefined {
  const [ours] = samplesOf(metrics, 'kikitori_sessions_max');
  if (ours !== undefined && ours.value >= 1) {
    return { places: Math.floor(ours.value), because: 'as many as that server has places' };
  }
  const tokens = samplesOf(metrics, 'vllm:cache_config_info').reduce(
    (sum, { labels }) => sum + tokensOf(labels),
    0,
  );
  const perUtterance = tokensOfUtterance(bounds);
  if (tokens < perUtterance) return undefined;
  const because = `${shown(tokens)} tokens of KV cache, ${shown(perUtterance)} for the longest utterance`;
  return { places: Math.floor(tokens / perUtterance), because };
}

function tokensOfUtterance({ maxModelLen, utteranceMsMax }: UtteranceBounds): number {
  const spoken = PROMPT_TOKENS + Math.ceil((utteranceMsMax / 1_000) * TOKENS_PER_SECOND) + PADDING_TOKENS;
  return Math.min(maxModelLen ?? spoken, spoken);
}

/** Newer versions count themselves: blocks are shared by groups of layers there, and their product is no number of tokens. */
function tokensOf(labels: ReadonlyMap<string, string>): number {
  const counted = Number(labels.get('kv_cache_size_tokens'));
  if (counted > 0) return counted;
  const product = Number(labels.get('num_gpu_blocks')) * Number(labels.get('block_size'));
  return product > 0 && Number.isFinite(product) ? product : 0;
}

interface Sample {
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** The lines of one metric. Values of labels hold no commas and no quotes where it matters here. */
function samplesOf(metrics: string, name: string): Sample[] {
  return metrics.split('\n').flatMap((line) => {
    if (!line.startsWith(name)) return [];
    const rest = line.slice(name.length);
    const [open, close] = [rest.indexOf('{'), rest.lastIndexOf('}')];
    const isLabelled = open === 0 && close > open;
    if (!isLabelled && !rest.startsWith(' ')) return [];
    const pairs = isLabelled ? rest.slice(open + 1, close).split(',') : [];
    const labels = new Map(pairs.map((pair) => labelOf(pair)));
    return [
      {
        labels,
        value: Number(
          rest
            .slice(isLabelled ? close + 1 : 0)
            .trim()
            .split(' ')[0],
        ),
      },
    ];
  });
}

function labelOf(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return [
    pair.slice(0, at).trim(),
    pair
      .slice(at + 1)
      .replaceAll('"', '')
      .trim(),
  ];
}

function shown(count: number): string {
  return Math.floor(count).toLocaleString('en');
}
