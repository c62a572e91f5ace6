/** Holds the repository to its own rules (`tidy/rules.ts`), and the rules to a few bad samples. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../packages/protocol/src/index.js';
import { ALONE, SHARED } from '../vitest.config.js';
import {
  checkArrows,
  checkDelays,
  checkErrorCodes,
  checkExemptions,
  checkGlobals,
  checkImports,
  checkManifests,
  checkSizes,
  checkTable,
  checkWords,
  type Manifest,
  type Manifests,
} from './tidy/checks.js';
import { checkRegexes } from './tidy/regex-growth.js';
import { FILE_LINES_MAX, FUNCTION_LINES_MAX, PACKAGES } from './tidy/rules.js';
import { checkSharedProcess, matches } from './tidy/shared-process.js';
import { Parser, type SourceFile } from './tidy/source-file.js';

const ROOT = join(import.meta.dirname, '..');

function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** TypeScript files below a folder, from the repository's root. */
function listFiles(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => posix.join(folder, path.replaceAll('\\', '/')))
    .filter((path) => path.endsWith(ending))
    .sort();
}

/** Folder of a package → where it is, `packages` or `apps`. */
const places = new Map(
  ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(ROOT, parent)).map((folder): [string, string] => [folder, `${parent}/${folder}`]),
  ),
);
const folders = [...places.keys()].sort();
const manifests: Manifests = Object.fromEntries(
  [...places].map(([folder, path]): [string, Manifest] => [
    folder,
    JSON.parse(readText(`${path}/package.json`)),
  ]),
);
const sources = [...places.values()].flatMap((path) => listFiles(`${path}/src`, '.ts'));
const parser = new Parser();
afterAll(() => parser.close());
const files = parser.parse(Object.fromEntries(sources.map((path) => [path, readText(path)])));

describe('the repository', () => {
  it('is seen whole', () => {
    expect(folders).toStrictEqual(Object.keys(PACKAGES).sort());
    expect(files.length).toBeGreaterThan(30);
  });

  it('has an import table whose arrows only go down, and manifests that keep it', () => {
    expect([...checkTable(PACKAGES), ...checkManifests(manifests)]).toStrictEqual([]);
  });

  it('imports only what the table allows and the manifest declares', () => {
    expect(files.flatMap((file) => checkImports(file, manifests))).toStrictEqual([]);
  });

  it('has no arrow and no dependency that nothing needs', () => {
    expect(checkArrows(files, PACKAGES, manifests)).toStrictEqual([]);
  });

  it('uses no global of one platform where only what runs anywhere may be', () => {
    expect(files.flatMap(checkGlobals)).toStrictEqual([]);
  });

  it('has files and functions of a size that can be read, with names that say what is inside', () => {
    expect(files.flatMap(checkSizes)).toStrictEqual([]);
  });

  it('says no word that has a better one, and exempts nothing in vain', () => {
    expect([...files.flatMap(checkWords), ...checkExemptions(files)]).toStrictEqual([]);
  });

  it('starts no timer that could be told to wait for longer than a timer can', () => {
    expect(files.flatMap(checkDelays)).toStrictEqual([]);
  });

  it('has no regular expression that a text can hold up', () => {
    expect(files.flatMap(checkRegexes)).toStrictEqual([]);
  });

  it('has test files that take back what they replace in a process that they share', () => {
    const shared = [...places.values()]
      .filter((path) => readdirSync(join(ROOT, path)).includes('test'))
      .flatMap((path) => listFiles(`${path}/test`, '.test.ts'))
      .filter((path) => SHARED.some((pattern) => matches(pattern, path)))
      .filter((path) => !ALONE.some((pattern) => matches(pattern, path)));
    expect(shared.length).toBeGreaterThan(100);
    expect(shared.flatMap((path) => checkSharedProcess(path, readText(path)))).toStrictEqual([]);
  });

  it('documents and tests every error code of the protocol', () => {
    const tests = [...places.values()]
      .filter((path) => readdirSync(join(ROOT, path)).includes('test'))
      .flatMap((path) => listFiles(`${path}/test`, '.test.ts'));
    expect(
      checkErrorCodes(Object.keys(ERRORS), readText('docs/protocol.md'), tests.map(readText)),
    ).toStrictEqual([]);
  });
});

/** One bad file, as if it stood in the repository. */
function sample(path: string, text: string): SourceFile {
  const [file] = parser.parse({ [path]: text });
  if (file === undefined) throw new Error(path);
  return file;
}

describe('the checker', () => {
  it.each([
    ['packages/protocol/src/a.ts', "import type { Word } from '@kikitori/engine';", 'may import nothing'],
    ['packages/engine/src/a.ts', "export { listen } from '@kikitori/transport';", 'may import nothing'],
    ['packages/server/src/a.ts', "type C = import('@kikitori/client').Client;", 'may import core'],
    ['packages/server/src/a.ts', "const m = await import('@kikitori/engine-local');", 'may import core'],
    ['packages/server/src/a.ts', "import { x } from '@kikitori/protocol/src/codec.js';", 'does not export'],
    ['packages/server/src/a.ts', "import { WebSocket } from 'ws';", 'does not declare'],
    ['packages/server/src/a.ts', 'const m = await import(name);', 'computed'],
    ['packages/server/src/a.ts', "import '@kikitori/server';", 'its own package'],
    ['packages/server/src/b/a.ts', "import { x } from '../../../audio/src/index.js';", 'leaves the package'],
    ['packages/server/src/a.ts', "import { x } from './b';", 'without its .js'],
    ['packages/server/src/a.ts', "import { x } from 'fs';", 'write node:fs'],
    ['packages/protocol/src/a.ts', "import { x } from 'node:fs';", 'runs anywhere'],
    ['packages/audio/src/a.ts', "import { x } from 'node:fs';", 'runs anywhere'],
    ['packages/engine-local/src/a.ts', "import * as ort from 'onnxruntime-node';", 'only packages'],
  ])('finds the import in %s: %s', (path, text, expected) => {
    expect(checkImports(sample(path, text), manifests)).toStrictEqual([expect.stringContaining(expected)]);
  });

  it('takes imports that are allowed, and does not read them in comments and strings', () => {
    const text = `import { a } from '@kikitori/protocol/subtitles';
      import { readFile } from 'node:fs/promises';
      import { b } from './c/d.js';
      // import x from 'ws';
      const text = "import y from 'ws'";`;
    expect(checkImports(sample('packages/server/src/a.ts', text), manifests)).toStrictEqual([]);
    for (const [path, one] of [
      ['packages/audio/src/file/a.ts', "import 'node:fs';"],
      ['packages/engine-local/src/a.ts', "import type * as ort from 'onnxruntime-node';"],
    ] as const) {
      expect(checkImports(sample(path, one), manifests)).toStrictEqual([]);
    }
  });

  it.each([
    ['packages/protocol/src/a.ts', 'export const x = Buffer.from("a");', 'Buffer'],
    ['packages/audio/src/a.ts', 'export type X = typeof process;', 'process'],
    ['packages/client/src/a.ts', 'process.nextTick(() => {});', 'process'],
    ['packages/protocol/src/a.ts', 'export function f() { return document.title; }', 'document'],
  ])('finds the global in %s: %s', (path, text, name) => {
    expect(checkGlobals(sample(path, text))).toStrictEqual([
      `${path}:1 uses ${name}, which is not everywhere.`,
    ]);
  });

  it('knows members, own names and the folders that are for one platform', () => {
    const text = 'const { process } = options; a.document; const b = { window: 1 }; process.start();';
    expect(checkGlobals(sample('packages/protocol/src/a.ts', text))).toStrictEqual([]);
    expect(checkGlobals(sample('packages/audio/src/file/a.ts', 'process.cwd();'))).toStrictEqual([]);
  });

  it.each([
    ['const x = y as any;', 'unknown'],
    ['const x = JSON.parse(message);', 'parseClientEvent'],
    ['console.log(1);', 'Logger'],
    ['process.exit(1);', 'exit code'],
    ['// TODO later', 'doing it'],
    ['export * from "./a.js";', 'explicit'],
  ])('finds the word in: %s', (text, instead) => {
    expect(checkWords(sample('packages/server/src/a.ts', text))).toStrictEqual([
      expect.stringContaining(instead),
    ]);
  });

  it('does not read words of code in comments and strings', () => {
    const text = '/* console.log, JSON.parse */ const x = "as any"; // console.log\nconst y = `export *`;';
    expect(checkWords(sample('packages/server/src/a.ts', text))).toStrictEqual([]);
  });

  it.each([
    ['setTimeout(run, 500);', 0],
    ['setTimeout(() => run(delayMs), LIMITS.answerMs);', 0],
    ['setInterval(run, timerMs(options.everyMs));', 0],
    ['setTimeout(() => {}, delayMs);', 1],
    ['const timer = setTimeout(run, Math.max(0, atMs));', 1],
    ['AbortSignal.timeout(limits.answerMs);', 1],
    ["import { setTimeout as wait } from 'node:timers/promises';", 1],
  ])('judges the wait of %s', (text, problems) => {
    expect(checkDelays(sample('packages/server/src/a.ts', text))).toHaveLength(problems);
  });

  it.each([
    ['/^(\\w+)\\s+-(?:i|r)\\s+(.*?)\\s*$/', 1],
    ['/\\s*;\\s*/', 1],
    ['/^bearer +(.+)$/i', 1],
    ['/^(?:a+)+$/', 1],
    ['/^bearer +(\\S.*)$/i', 0],
    ['/(?<!\\/)\\/+$/', 0],
  ])('judges how the work of %s grows', (literal, problems) => {
    expect(checkRegexes(sample('packages/server/src/a.ts', `const x = ${literal};`))).toHaveLength(problems);
  });

  it.each([
    ["vi.stubEnv('TMPDIR', folder);", 'vi.unstubAllEnvs'],
    ['vi.useFakeTimers();', 'vi.useRealTimers'],
    ["vi.mock('./a.js');", 'ALONE'],
    ["process.env['HOME'] = folder;", 'ALONE'],
    ['  globalThis.fetch = answer;', 'ALONE'],
  ])('finds what stays behind in a shared process after %s', (text, expected) => {
    expect(checkSharedProcess('a.test.ts', text)).toStrictEqual([expect.stringContaining(expected)]);
  });

  it('knows what was taken back, and reads the patterns of vitest', () => {
    const text =
      "afterEach(() => vi.unstubAllEnvs()); vi.stubEnv('A', 'b'); if (process.env['A'] === 'b') run();";
    expect(checkSharedProcess('a.test.ts', text)).toStrictEqual([]);
    const seen = ['{packages,apps}/*/test/**/*.test.ts', 'packages/audio/test/file/*.test.ts'].map(
      (pattern) =>
        ['packages/audio/test/file/a.test.ts', 'packages/audio/test/a.test.ts', 'test/a.test.ts'].map(
          (path) => matches(pattern, path),
        ),
    );
    expect(seen).toStrictEqual([
      [true, true, false],
      [true, false, false],
    ]);
  });

  it('counts lines of files and functions to the bound and not beyond', () => {
    const fileOf = (lines: number) => sample('packages/server/src/a.ts', 'x;\n'.repeat(lines));
    expect(
      [fileOf(FILE_LINES_MAX), fileOf(FILE_LINES_MAX + 1)].map((file) => checkSizes(file).length),
    ).toStrictEqual([0, 1]);
    const functionOf = (lines: number) =>
      sample('packages/server/src/a.ts', `const f = () => {${'\n'.repeat(lines - 1)}};`);
    expect(checkSizes(functionOf(FUNCTION_LINES_MAX))).toStrictEqual([]);
    expect(checkSizes(functionOf(FUNCTION_LINES_MAX + 1))).toStrictEqual([
      `packages/server/src/a.ts:1 f has ${FUNCTION_LINES_MAX + 1} lines; ${FUNCTION_LINES_MAX} are allowed.`,
    ]);
  });

  it('finds names that say nothing', () => {
    const problems = ['utils.ts', 'types.ts', 'someFile.ts'].map((name) =>
      checkSizes(sample(`packages/server/src/${name}`, '')),
    );
    expect(problems.map((found) => found.length)).toStrictEqual([1, 1, 1]);
  });

  it('finds arrows that go up or sideways, and packages that are not in the table', () => {
    const table = {
      a: { level: 1, mayImport: ['b', 'c'] },
      b: { level: 1, mayImport: [] },
      c: { level: 0, mayImport: [] },
    } as const;
    expect(checkTable(table)).toStrictEqual(['The table lets a import b, which is not below it.']);
    expect(checkManifests({ later: { name: '@kikitori/later' } })).toHaveLength(1);
    const grown = {
      ...manifests,
      protocol: { name: '@kikitori/protocol', dependencies: { '@kikitori/audio': '1' } },
    };
    expect(checkManifests(grown)).toStrictEqual([
      'packages/protocol/package.json depends on audio, which the table does not allow.',
    ]);
  });

  it('finds arrows and dependencies that nothing needs', () => {
    const file = sample('packages/client/src/a.ts', "import { x } from '@kikitori/core/hub'; import 'ws';");
    const table = { client: { level: 3, mayImport: ['core', 'audio'] } } as const;
    const grown = { ...manifests, client: { name: 'c', dependencies: { ws: '1', tar: '1' } } };
    expect(checkArrows([file], table, grown)).toStrictEqual([
      'client may import @kikitori/audio and does not.',
      'client depends on tar and does not import it.',
    ]);
  });

  it('finds error codes without a row, rows without a code, and codes without a test', () => {
    const documentation = '## Errors\n| `known` | a |\n| `gone` | b |\n## Limits\n| `limit` | c |\n';
    expect(checkErrorCodes(['known', 'fresh'], documentation, ['known'])).toStrictEqual([
      'fresh has no row in docs/protocol.md.',
      'docs/protocol.md has a row for gone, which does not exist.',
      'fresh is in no test.',
    ]);
  });
});
