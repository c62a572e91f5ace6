/**
 * What npm would publish: every package is packed, unpacked into a folder of its own, and used from there, so that a
 * file missing from `files` or a wrong path in `exports` fails here and not at somebody's desk.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { x as extract } from 'tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

interface Manifest {
  readonly name: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: unknown;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const folders = (
  await Promise.all(
    ['packages', 'apps'].map(async (parent) =>
      (await readdir(join(root, parent))).map((folder) => join(root, parent, folder)),
    ),
  )
).flat();
const manifests: readonly Manifest[] = await Promise.all(
  folders.map(async (folder) => {
    // Our own manifests: their shape is what the tests below look at.
    return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  }),
);

/** Every file that the `exports` of a package name, whatever the condition. */
function targetsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(targetsOf) : [];
}

function subpathsOf(manifest: Manifest): string[] {
  return Object.keys(manifest.exports ?? {}).map((subpath) => manifest.name + subpath.slice(1));
}

/** Bare specifiers of static and dynamic imports, in code as the compiler writes it. */
function specifiersOf(code: string): string[] {
  const statics = code.matchAll(/^(?:import|export)\b[\s\w{},*$]*?(?:from\s+)?['"]([^'"]+)['"]/gm);
  const dynamics = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  const found = [...statics, ...dynamics].map(([, specifier = '']) => specifier);
  return found.filter((specifier) => !specifier.startsWith('.'));
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

let home = '';
/** Names that could not be imported, and why. */
let unimportable: Readonly<Record<string, string>> = {};
const at = (name: string, ...path: string[]): string => join(home, 'node_modules', name, ...path);

beforeAll(async () => {
  // Inside of the checkout, so that what others publish is found in its node_modules and nothing is downloaded.
  await mkdir(join(root, '.cache'), { recursive: true });
  home = await mkdtemp(join(root, '.cache', 'packed-'));
  const args = [
    'pack',
    '--workspaces',
    '--offline',
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    home,
  ];
  const { stdout } = await run('npm', args, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  // npm answers with one entry per workspace.
  const packed = JSON.parse(stdout) as readonly { readonly name: string; readonly filename: string }[];
  for (const { name, filename } of packed) {
    await mkdir(at(name), { recursive: true });
    await extract({ file: join(home, filename), cwd: at(name), strip: 1 });
  }
  unimportable = await importAll(manifests.flatMap(subpathsOf));
});

/** Imports them all in one process, as an application would; it may write nothing but what it is asked for here. */
async function importAll(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const script = `const failed = {};
    for (const name of ${JSON.stringify(names)}) await import(name).catch((error) => { failed[name] = String(error); });
    process.stdout.write(JSON.stringify(failed));`;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
    cwd: home,
  });
  expect(stderr).toBe('');
  // Written by the script above.
  return JSON.parse(stdout) as Record<string, string>;
}

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

describe.each(manifests.map((manifest) => [manifest.name, manifest] as const))(
  '%s, packed',
  (name, manifest) => {
    it('holds every file that its exports, its commands and its scripts name', async () => {
      const scripts = Object.values(manifest.scripts ?? {}).map((script) => script.replace(/^node /, ''));
      for (const target of [
        ...targetsOf(manifest.exports),
        ...Object.values(manifest.bin ?? {}),
        ...scripts,
      ]) {
        expect((await stat(at(name, target)).catch(() => undefined))?.isFile(), target).toBe(true);
      }
    });

    it('holds the built code and nothing of the workshop', async () => {
      const files = (await filesBelow(at(name))).map((file) => file.slice(at(name).length + 1));
      expect(files).toContain('package.json');
      const strangers = files.filter(
        (file) =>
          !/^(dist|bin|assets|template|vendor)\/|^(package\.json|LICENSE|README\.md|leave-out-graphics\.js)$/.test(
            file,
          ),
      );
      expect(strangers).toEqual([]);
    });

    it('says under which licence it is, and what it brings along', async () => {
      expect(await readFile(at(name, 'dist', 'LICENSE'), 'utf8')).toMatch(/^MIT License/);
      const notice = await readFile(at(name, 'dist', 'THIRD-PARTY.md'), 'utf8');
      expect(notice).toContain(`# What ${name} brings along`);
      for (const dependency of Object.keys(manifest.dependencies ?? {})) {
        if (!/^(@kikitori\/|kikitori$)/.test(dependency)) expect(notice).toContain(`| ${dependency} | `);
      }
    });

    it('can be imported by each of its names', () => {
      const failures = subpathsOf(manifest).map((subpath) => [subpath, unimportable[subpath]]);
      expect(failures.filter(([, why]) => why !== undefined)).toEqual([]);
    });

    it('imports only what it declares', async () => {
      const declared = new Set([
        ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
        name,
      ]);
      const undeclared = new Set<string>();
      for (const file of (await filesBelow(at(name, 'dist'))).filter((path) => path.endsWith('.js'))) {
        const code = await readFile(file, 'utf8');
        for (const specifier of specifiersOf(code)) {
          const [first = '', second = ''] = specifier.split('/');
          const dependency = first.startsWith('@') ? `${first}/${second}` : first;
          const isBuiltin = specifier.startsWith('node:') || builtinModules.includes(specifier);
          if (!isBuiltin && !declared.has(dependency)) undeclared.add(dependency);
        }
      }
      expect([...undeclared]).toEqual([]);
    });
  },
);

describe('what was built into one', () => {
  it.each([
    ['@kikitori/bridge', 'dist/kikitori-bridge.mjs'],
    ['@kikitori/web', 'dist/pages/third-party.txt'],
  ])('of %s says what it is made of', async (name, file) => {
    expect(await readFile(at(name, file), 'utf8')).toMatch(/Kikitori[.,] [\s\S]*\nMIT License\n/);
  });
});

describe('the packed command', () => {
  it('runs from its own files', async () => {
    const { stdout } = await run(process.execPath, [at('kikitori', 'bin', 'kikitori.js'), '--help'], {
      cwd: home,
    });
    expect(stdout).toContain('transcribe');
  });
});
