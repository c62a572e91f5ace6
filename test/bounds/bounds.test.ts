/** Holds the names in docs/bounds.md against the limits of the packages. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/bounds.md`, 'utf8');

const files = ['packages', 'apps'].flatMap((level) =>
  readdirSync(`${root}${level}`).flatMap((name) =>
    readdirSync(`${root}${level}/${name}/src`, { recursive: true, encoding: 'utf8' })
      .map((file) => `${root}${level}/${name}/src/${file}`)
      .filter((file) => file.endsWith('limits.ts')),
  ),
);

/** `SESSION_LIMITS.idleTimeoutMs`, as exported; constants of their own by their name. */
async function boundsOf(file: string): Promise<string[]> {
  const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href);
  return Object.entries(module).flatMap(([table, value]) =>
    typeof value === 'object' && value !== null
      ? Object.keys(value).map((name) => `${table}.${name}`)
      : [table],
  );
}

describe('docs/bounds.md', () => {
  it('names no bound that is not there', async () => {
    const names = new Set((await Promise.all(files.map(boundsOf))).flat());
    const named = [...page.matchAll(/`([A-Z][A-Z_]+\.\w+)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !names.has(name))).toEqual([]);
  });
});
