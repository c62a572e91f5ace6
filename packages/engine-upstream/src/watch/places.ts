/** Voxtral Realtime's tokens for an utterance: what stands in front, at the longest delay, … */
const PROMPT_TOKENS = 33 + 30;
/** … one for each 80 ms of audio, … */
const TOKENS_PER_SECOND = 12.5;
/** … and silence behind it. */
const PADDING_TOKENS = 30 + 11;

/** How many sessions another server carries, and how that is known. */
export interface PlacesFound {
  readonly places: number;
  /** Such as `190,650 tokens of KV cache, 1,860 for the longest utterance`. */
  readonly because: string;
  /** It is vLLM, as far as its metrics show. */
  readonly isVllm: boolean;
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
    return { places: Math.floor(ours.value), because: 'as many as that server has places', isVllm: false };
  }
  const engines = samplesOf(metrics, 'vllm:cache_config_info').map(({ labels }) => labels);
  const tokens = Math.floor(engines.reduce((sum, labels) => sum + tokensOf(labels, bounds), 0));
  const blockTokens = Math.max(0, ...engines.map((labels) => numberIn(labels, 'block_size') ?? 0));
  const perUtterance = tokensOfUtterance(bounds, blockTokens);
  if (tokens < perUtterance) return undefined;
  const because = `${shown(tokens)} tokens of KV cache, ${shown(perUtterance)} for the longest utterance`;
  return { places: Math.floor(tokens / perUtterance), because, isVllm: true };
}

/** Memory is given out in blocks: up to two of them hold next to nothing, one of the decoder and one of the encoder. */
function tokensOfUtterance({ maxModelLen, utteranceMsMax }: UtteranceBounds, blockTokens: number): number {
  const spoken = PROMPT_TOKENS + Math.ceil((utteranceMsMax / 1_000) * TOKENS_PER_SECOND) + PADDING_TOKENS;
  return Math.min(maxModelLen ?? Number.POSITIVE_INFINITY, spoken + 2 * blockTokens);
}

/**
 * Newer versions say how many utterances of full length they hold, of which no more than the window is kept. Else the blocks
 * are counted, although several groups of layers share them in newer versions, so that it is less than their product.
 */
function tokensOf(labels: Labels, { maxModelLen }: UtteranceBounds): number {
  const wholeOnes = numberIn(labels, 'kv_cache_max_concurrency');
  if (wholeOnes !== undefined && maxModelLen !== undefined) {
    return wholeOnes * Math.min(maxModelLen, numberIn(labels, 'sliding_window') ?? maxModelLen);
  }
  return (numberIn(labels, 'num_gpu_blocks') ?? 0) * (numberIn(labels, 'block_size') ?? 0);
}

/** Above 0; undefined where there is none. */
function numberIn(labels: Labels, name: string): number | undefined {
  const value = Number(labels.get(name));
  return value > 0 && Number.isFinite(value) ? value : undefined;
}

type Labels = ReadonlyMap<string, string>;

interface Sample {
  readonly labels: Labels;
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
