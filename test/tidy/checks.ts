/** The checks. Each takes what it looks at and gives sentences, one for each breach; none means all is well. */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import {
  BANNED_FILE_NAMES,
  BANNED_WORDS,
  BOUNDED_DELAY,
  DOM_GLOBALS,
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  LISTS_OF_TESTS,
  LOADED_ONLY_IN,
  LONG_FILES,
  LONG_FUNCTIONS,
  NODE_GLOBALS,
  OTHER_DELAYS,
  OTHER_WAITS,
  PACKAGES,
  type PackageRule,
} from './rules.js';
import type { Import, SourceFile } from './source-file.js';

/** What of a package.json is looked at. */
export interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Folder of the package → its manifest. */
export type Manifests = Readonly<Record<string, Manifest>>;

/** Which package a file is of, and where in its `src`. */
export function placeOf(path: string): { readonly folder: string; readonly inside: string } {
  const [, folder = '', inside = ''] = /^(?:packages|apps)\/([^/]+)\/src\/(.+)$/.exec(path) ?? [];
  return { folder, inside };
}

/** The table itself: arrows go down, and no two packages of one level know each other. */
export function checkTable(packages: Readonly<Record<string, PackageRule>>): string[] {
  return Object.entries(packages).flatMap(([name, { level, mayImport }]) =>
    mayImport
      .filter((other) => (packages[other]?.level ?? 9) >= level)
      .map((other) => `The table lets ${name} import ${other}, which is not below it.`),
  );
}

/** Manifests and table agree: every package is in the table, every dependency of ours is allowed. */
export function checkManifests(manifests: Manifests): string[] {
  return Object.entries(manifests).flatMap(([folder, manifest]) => {
    const rule = PACKAGES[folder];
    if (rule === undefined) return [`packages/${folder} is not in the import table.`];
    return Object.keys(declared(manifest))
      .map((name) => folderOf(name, manifests))
      .filter((other) => other !== undefined && !rule.mayImport.includes(other))
      .map((other) => `packages/${folder}/package.json depends on ${other}, which the table does not allow.`);
  });
}

/** Every import of a file: inside the package, or allowed by the table and declared in the manifest. */
export function checkImports(file: SourceFile, manifests: Manifests): string[] {
  const { folder } = placeOf(file.path);
  const rule = PACKAGES[folder];
  const manifest = manifests[folder];
  if (rule === undefined || manifest === undefined) return [`${file.path} is in no known package.`];
  return file.imports.flatMap((found) => {
    const breach = importBreach(found, file, rule, manifest, manifests);
    return breach === undefined ? [] : [`${file.path}:${found.line} ${breach}`];
  });
}

function importBreach(
  { specifier, line }: Import,
  { path, text }: SourceFile,
  rule: PackageRule,
  manifest: Manifest,
  manifests: Manifests,
): string | undefined {
  const { folder, inside } = placeOf(path);
  if (specifier === '(computed)') return 'imports something computed, which nobody can check.';
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(inside), specifier);
    if (target.startsWith('..')) return `imports ${specifier}, which leaves the package's src.`;
    return specifier.endsWith('.js') ? undefined : `imports ${specifier} without its .js.`;
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    if (!specifier.startsWith('node:')) return `imports ${specifier}: write node:${specifier}.`;
    const allowed = rule.nodeOnlyIn?.test(inside) ?? true;
    return allowed ? undefined : `imports ${specifier} where only what runs anywhere may be.`;
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (name === manifest.name) return `imports its own package by name (${specifier}): use a relative path.`;
  const other = folderOf(name, manifests);
  if (other !== undefined && !rule.mayImport.includes(other)) {
    return `imports ${name}: ${folder} may import ${rule.mayImport.join(', ') || 'nothing'}.`;
  }
  if (declared(manifest)[name] === undefined) return `imports ${name}, which package.json does not declare.`;
  const loaded = LOADED_ONLY_IN[name];
  if (
    loaded !== undefined &&
    loaded.path !== path &&
    !/^import type /.test(text.split('\n')[line - 1] ?? '')
  ) {
    return `imports ${name}, which only ${loaded.path} may: ${loaded.reason}.`;
  }
  const subpath = `.${specifier.slice(name.length)}`;
  if (other !== undefined && manifests[other]?.exports?.[subpath] === undefined) {
    return `imports ${specifier}, which ${name} does not export.`;
  }
  return undefined;
}

/** Arrows of the table, and dependencies of a manifest, that no import of the package needs. */
export function checkArrows(
  files: readonly SourceFile[],
  packages: Readonly<Record<string, PackageRule>>,
  manifests: Manifests,
): string[] {
  const imports = (folder: string, name: string): boolean =>
    files.some(
      (file) =>
        placeOf(file.path).folder === folder &&
        file.imports.some(({ specifier }) => specifier === name || specifier.startsWith(`${name}/`)),
    );
  return Object.entries(packages).flatMap(([folder, { mayImport }]) => {
    const manifest = manifests[folder];
    const arrows = mayImport
      .map((other) => manifests[other]?.name)
      .filter((name) => name !== undefined)
      .filter((name) => !imports(folder, name))
      .map((name) => `${folder} may import ${name} and does not.`);
    const unused = Object.keys(manifest?.dependencies ?? {})
      .filter((name) => !imports(folder, name))
      .map((name) => `${folder} depends on ${name} and does not import it.`);
    return [...arrows, ...unused];
  });
}

function declared(manifest: Manifest): Readonly<Record<string, string>> {
  return { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
}

function folderOf(name: string, manifests: Manifests): string | undefined {
  return Object.keys(manifests).find((folder) => manifests[folder]?.name === name);
}

/** Globals of one platform where only what runs anywhere may be. */
export function checkGlobals(file: SourceFile): string[] {
  const { folder, inside } = placeOf(file.path);
  const { nodeOnlyIn = /./, domOnlyIn = /(?!)/ } = PACKAGES[folder] ?? {};
  return file.freeNames.flatMap(({ name, line }) => {
    const isNode = NODE_GLOBALS.has(name) && !nodeOnlyIn.test(inside);
    const isDom = DOM_GLOBALS.has(name) && !domOnlyIn.test(inside);
    return isNode || isDom ? [`${file.path}:${line} uses ${name}, which is not everywhere.`] : [];
  });
}

/** File names, file lengths and function lengths. */
export function checkSizes({ path, text, functions }: SourceFile): string[] {
  const problems: string[] = [];
  const name = posix.basename(path);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/.test(name)) problems.push(`${path} is not in kebab-case.`);
  if (BANNED_FILE_NAMES.test(name)) problems.push(`${path}: name it by the noun a reader would look for.`);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines > FILE_LINES_MAX && LONG_FILES[path] === undefined) {
    problems.push(`${path} has ${lines} lines; ${FILE_LINES_MAX} are allowed.`);
  }
  for (const { name: called, line, lengthLines } of LISTS_OF_TESTS.test(path) ? [] : functions) {
    if (lengthLines > FUNCTION_LINES_MAX && LONG_FUNCTIONS[`${path}#${called}`] === undefined) {
      problems.push(`${path}:${line} ${called} has ${lengthLines} lines; ${FUNCTION_LINES_MAX} are allowed.`);
    }
  }
  return problems;
}

/** Words that have a better one. Declarations of modules that others wrote are theirs. */
export function checkWords({ path, text, code }: SourceFile): string[] {
  if (path.endsWith('.d.ts')) return [];
  const looked = BANNED_WORDS.filter(
    ({ allowed, onlyIn }) => allowed?.[path] === undefined && (onlyIn?.test(path) ?? true),
  );
  return looked.flatMap(({ pattern, instead, inComments }) => {
    const lines = (inComments === true ? text : code).split('\n');
    return lines.flatMap((line, index) => {
      const [word] = pattern.exec(line) ?? [];
      return word === undefined ? [] : [`${path}:${index + 1} says "${word.trim()}"; instead: ${instead}.`];
    });
  });
}

/** Timers that could be told to wait for longer than they can: those fire at once. */
export function checkDelays({ path, delays, imports }: SourceFile): string[] {
  const timers =
    OTHER_DELAYS[path] === undefined ? delays.filter(({ written }) => !BOUNDED_DELAY.test(written)) : [];
  const waits =
    OTHER_WAITS[path] === undefined
      ? imports.filter(({ specifier }) => specifier === 'node:timers/promises')
      : [];
  return [
    ...timers.map(
      ({ written, line }) => `${path}:${line} lets a timer wait for ${written}; write timerMs(${written}).`,
    ),
    ...waits.map(({ line }) => `${path}:${line} waits with node:timers/promises, which nobody bounds.`),
  ];
}

/** Exemptions that no longer exempt anything hide the next breach. */
export function checkExemptions(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const words = BANNED_WORDS.flatMap(({ pattern, allowed = {} }) =>
    Object.keys(allowed)
      .filter((path) => byPath.has(path) && !pattern.test(byPath.get(path)?.code ?? ''))
      .map((path) => `${path} does not say ${pattern} any more: take it off the list.`),
  );
  const long = Object.keys(LONG_FILES).filter((path) => !byPath.has(path));
  const functions = Object.keys(LONG_FUNCTIONS).filter((key) => {
    const [path = '', name] = key.split('#');
    return byPath.get(path)?.functions.every((found) => found.name !== name) ?? true;
  });
  const timed = [
    ...Object.keys(OTHER_DELAYS).filter((path) => byPath.get(path)?.delays.length === 0),
    ...Object.keys(OTHER_WAITS).filter(
      (path) =>
        byPath.get(path)?.imports.every(({ specifier }) => specifier !== 'node:timers/promises') === true,
    ),
  ].map((path) => `${path} starts no timer any more: take it off the list.`);
  return [
    ...words,
    ...timed,
    ...[...long, ...functions].map((key) => `${key} is not there any more: take it off the list.`),
  ];
}

/** Every error code is a row of the table of the documentation, the rows name no other, and a test mentions it. */
export function checkErrorCodes(
  codes: readonly string[],
  documentation: string,
  tests: readonly string[],
): string[] {
  const section = /^## Errors$([\s\S]*?)^## /m.exec(documentation)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| `([a-z_]+)` +\|/gm)].map(([, code = '']) => code);
  return [
    ...codes.filter((code) => !rows.includes(code)).map((code) => `${code} has no row in docs/protocol.md.`),
    ...rows
      .filter((row) => !codes.includes(row))
      .map((row) => `docs/protocol.md has a row for ${row}, which does not exist.`),
    ...codes
      .filter((code) => !tests.some((text) => new RegExp(`\\b${code}\\b`).test(text)))
      .map((code) => `${code} is in no test.`),
  ];
}
