import { Counter, Gauge, type Registry } from 'prom-client';

/** Why a request about captions was refused. */
export type CaptionRefusal =
  | 'unknown'
  | 'shares_full'
  | 'readers_full'
  | 'other_session'
  | 'too_fast'
  | 'invalid';

/** Metrics of shared captions. No label ever holds text, a secret or an address. */
export interface CaptionMetrics {
  readonly shares: Gauge;
  readonly readers: Gauge;
  readonly catchUps: Counter;
  readonly refused: Counter<'reason'>;
}

/** Makes them in the given registries. */
export function captionMetrics(registers: Registry[]): CaptionMetrics {
  return {
    shares: new Gauge({
      name: 'kikitori_caption_shares',
      help: 'Speakers whose captions are shared by a link, in shares.',
      registers,
    }),
    readers: new Gauge({
      name: 'kikitori_caption_readers',
      help: 'Readers of shared captions that are connected, in readers.',
      registers,
    }),
    catchUps: new Counter({
      name: 'kikitori_caption_catch_ups_total',
      help: 'Readers too slow to follow that were sent a fresh snapshot, in snapshots.',
      registers,
    }),
    refused: new Counter({
      name: 'kikitori_caption_refused_total',
      help: 'Requests about captions refused, by reason (unknown, shares_full, readers_full, other_session, too_fast, invalid), in requests.',
      labelNames: ['reason'],
      registers,
    }),
  };
}
