/** What of the machine this process may really use: a container's quota is less than what the machine shows. */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

/** Processor time and memory that are this process's own. */
export interface MachineShare {
  /** May be a fraction; above 0. */
  readonly cores: number;
  readonly memoryBytes: number;
}

/** Where the shares are read: the machine, or what a test says. */
export interface ShareSource {
  /** The file's text; throws where there is none. */
  readonly read: (path: string) => string;
  readonly cores: number;
  readonly memoryBytes: number;
}

const CGROUPS = '/sys/fs/cgroup';

function theMachine(): ShareSource {
  return {
    read: (path) => readFileSync(path, 'utf8'),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  };
}

/**
 * The least of what the machine has and what the control groups (v1 and v2, of this process and all above it) allow. Never
 * throws: where there are no control groups, and on other systems, it is what the machine has.
 */
export function machineShare(source: ShareSource = theMachine()): MachineShare {
  const groups = groupsOf(source);
  const cores = groups.map((group) => coresOf(group, source));
  const memory = groups.flatMap((group) =>
    ['memory.max', 'memory.limit_in_bytes'].map((file) => numberOf(`${group}/${file}`, source)),
  );
  return {
    cores: Math.min(source.cores, ...cores),
    memoryBytes: Math.min(source.memoryBytes, ...memory),
  };
}

/** Folders of every group that this process is in, and of those above them. */
function groupsOf(source: ShareSource): readonly string[] {
  const folders = new Set<string>();
  for (const line of textOf('/proc/self/cgroup', source).split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const mounts = controllers === '' ? [CGROUPS, `${CGROUPS}/unified`] : mountsOf(controllers);
    // In a container the mount's root may be the group itself, whatever its path says.
    const parts = path.split('/').filter((part) => part !== '');
    for (const mount of mounts)
      for (let depth = 0; depth <= parts.length; depth += 1)
        folders.add([mount, ...parts.slice(0, depth)].join('/'));
  }
  return [...folders];
}

/** Folders of a line of v1: its controllers may stand there in another order than in the name of their folder. */
function mountsOf(controllers: string): readonly string[] {
  return [controllers, ...controllers.split(',')].map((name) => `${CGROUPS}/${name}`);
}

function coresOf(group: string, source: ShareSource): number {
  const [quota = '', period = ''] = textOf(`${group}/cpu.max`, source).trim().split(' ');
  const cores = Number(quota === '' ? Number.NaN : quota) / Number(period);
  if (cores > 0) return cores;
  const old = numberOf(`${group}/cpu.cfs_quota_us`, source) / numberOf(`${group}/cpu.cfs_period_us`, source);
  return old > 0 ? old : Number.POSITIVE_INFINITY;
}

/** Infinity where there is no such bound: no file, `max`, −1. */
function numberOf(path: string, source: ShareSource): number {
  const text = textOf(path, source).trim();
  const value = Number(text);
  return text !== '' && value > 0 ? value : Number.POSITIVE_INFINITY;
}

function textOf(path: string, { read }: ShareSource): string {
  try {
    return read(path);
  } catch {
    return '';
  }
}
