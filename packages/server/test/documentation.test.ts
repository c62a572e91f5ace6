import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CAPTIONS_LIMITS, HTTP_LIMITS, SESSION_LIMITS } from '../src/limits.js';
import { createMetrics } from '../src/metrics.js';
import { WYOMING_LIMITS } from '../src/wyoming/limits.js';

const page = readFileSync(new URL('../../../docs/server.md', import.meta.url), 'utf8');

const captions = readFileSync(new URL('../../../docs/captions.md', import.meta.url), 'utf8');

/** Names in code font in the first cell of a table's rows, labels left out. */
function namesOf(heading: string, text = page): string[] {
  const section = text.split(/^## /m).find((each) => each.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([\w:]+)/g)].map(([, name = '']) => name),
  );
}

describe('docs/server.md', () => {
  it('has a row for every metric, and for nothing else', async () => {
    const metrics = await createMetrics({
      audioLagS: () => 0,
      areKeysCurrent: () => true,
      upstream: { label: '', missing: undefined, maxModelLen: undefined, losses: new Map() },
    }).registry.getMetricsAsJSON();
    expect(namesOf('Metrics').sort()).toEqual(metrics.map(({ name }) => name).sort());
  });

  it('has a row for every limit, and for nothing else', () => {
    expect(namesOf('Limits').sort()).toEqual(
      [SESSION_LIMITS, HTTP_LIMITS, WYOMING_LIMITS].flatMap((limits) => Object.keys(limits)).sort(),
    );
  });
});

describe('docs/captions.md', () => {
  it('has a row for every bound, and for nothing else', () => {
    expect(namesOf('Bounds', captions).sort()).toEqual(Object.keys(CAPTIONS_LIMITS).sort());
  });
});
