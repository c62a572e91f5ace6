/** Which packages of others a package or a built file brings along, by npm's lockfile. */
import { relative, resolve, sep } from 'node:path';

/** What of an entry of `package-lock.json` is looked at. */
export interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** `packages` of `package-lock.json`: folder from the repository's root → entry. */
export type Lock = Readonly<Record<string, LockEntry>>;

/** One package of somebody else. */
export interface Part {
  readonly name: string;
  readonly version: string;
  /** SPDX, as its manifest says it; undefined where it says nothing. */
  readonly licence: string | undefined;
  /** Its folder, from the repository's root. */
  readonly location: string;
}

/** Everything that npm installs with a package of ours, and which of ours are among it. */
export function installedWith(
  lock: Lock,
  folder: string,
): { readonly parts: readonly Part[]; readonly ours: ReadonlySet<string> } {
  const seen = new Set<string>();
  const visit = (location: string): void => {
    if (seen.has(location)) return;
    seen.add(location);
    for (const name of namesOf(lock[location] ?? {})) {
      const found = find(lock, location, name);
      // An optional dependency of another platform may be in no lockfile; a missing one of ours fails npm before us.
      if (found !== undefined) visit(found);
    }
  };
  visit(folder);
  const isForeign = (location: string) => location.includes('node_modules/');
  const parts = [...seen].filter(isForeign).map((location) => partAt(lock, location));
  return { parts: sorted(parts), ours: new Set([...seen].filter((location) => !isForeign(location))) };
}

/** The packages whose files became part of a built file; `inputs` are esbuild's, relative to `workingFolder`. */
export function bundledFrom(
  lock: Lock,
  root: string,
  inputs: readonly string[],
  workingFolder: string = process.cwd(),
): readonly Part[] {
  const locations = new Set<string>();
  for (const input of inputs) {
    const path = relative(root, resolve(workingFolder, input)).split(sep).join('/');
    const location = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
    if (location !== undefined) locations.add(location);
  }
  return sorted([...locations].map((location) => partAt(lock, location)));
}

function namesOf(entry: LockEntry): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta: meta } = entry;
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => meta?.[name]?.optional !== true);
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
}

/** As Node finds it: in the package's own `node_modules`, else in those further out. */
function find(lock: Lock, from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const location = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    const entry = lock[location];
    if (entry !== undefined) return entry.link === true ? entry.resolved : location;
    if (at === '') return undefined;
  }
}

function partAt(lock: Lock, location: string): Part {
  const { version = '', license } = lock[location] ?? {};
  return { name: location.replace(/^.*node_modules\//, ''), version, licence: license, location };
}

function sorted(parts: readonly Part[]): readonly Part[] {
  return [...parts].sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}
