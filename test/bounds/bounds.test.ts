/** Holds docs/bounds.md against the limits of the packages, and the list of those files against the repository. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { boundsOf, LIMIT_FILES } from './limit-files.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/bounds.md`, 'utf8');

/** Rows by section: what stands below `From …`. */
function rowsOf(file: string): readonly { name: string; figure: string; text: string }[] {
  const [, section = ''] = page.split(`From \`${file}\`.`);
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^\| `([\w.]+)`\s*\| ([^|]*?)\s*\| (.*?)\s*\|$/gm)].map(
    ([, name = '', figure = '', text = '']) => ({ name, figure, text }),
  );
}

describe('docs/bounds.md', () => {
  it.each(Object.entries(LIMIT_FILES))(
    'has each bound of %s with its figure, and no other',
    (file, module) => {
      const rows = rowsOf(file);
      expect(rows.map(({ name, figure }) => ({ name, figure }))).toEqual(boundsOf(module));
      expect(rows.filter(({ text }) => text.length < 10)).toEqual([]);
    },
  );

  it('knows every file of limits', () => {
    const folders = ['packages', 'apps'].flatMap((level) =>
      readdirSync(`${root}${level}`).map((name) => `${level}/${name}/src`),
    );
    const files = folders.flatMap((folder) =>
      readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
        .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
        .filter((name) => name.endsWith('limits.ts')),
    );
    const known = Object.keys(LIMIT_FILES).filter((name) => name.endsWith('limits.ts'));
    expect(known.sort()).toEqual(files.sort());
  });

  it('names no bound that is not there', () => {
    const names = new Set(
      Object.values(LIMIT_FILES).flatMap((module) => boundsOf(module).map(({ name }) => name)),
    );
    const named = [...page.matchAll(/`([A-Z][A-Z_]+\.\w+)`/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !names.has(name))).toEqual([]);
  });
});
