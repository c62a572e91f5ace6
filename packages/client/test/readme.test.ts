import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const source = readFileSync(new URL('../src/events.ts', import.meta.url), 'utf8');

/** Members of each interface, `?` behind those that may be missing; what an interface extends comes first. */
function interfaces(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, name = '', base = '', body = ''] of source.matchAll(
    /^export interface (\w+)(?: extends (\w+))? \{\n([\s\S]*?)^\}/gm,
  )) {
    const own = [...body.matchAll(/^ {2}readonly (\w+\??): ([^\n]+);$/gm)].map(
      ([, member = '', type = '']) => (member === 'type' ? `type ${type}` : member),
    );
    found.set(name, [...(found.get(base) ?? []), ...own]);
  }
  return found;
}

describe('README.md', () => {
  it('has a row for every event, with every member of it, and for nothing else', () => {
    const section = readme.split(/^## /m).find((each) => each.startsWith('Events')) ?? '';
    const rows = [...section.matchAll(/^\| `(\w+)` +\| ([^|]+)\|/gm)].map(([, type = '', members = '']) => [
      `type '${type}'`,
      ...[...members.matchAll(/`([^`]+)`/g)].map(([, member = '']) => member),
    ]);
    const events = [...interfaces()].filter(([name]) => name.endsWith('Event')).map(([, members]) => members);
    expect(rows.map((row) => row.sort())).toEqual(
      expect.arrayContaining(events.map((members) => members.sort())),
    );
    expect(rows).toHaveLength(events.length);
  });
});
