import { fstatSync, readFileSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Who gets what is written. `pipe`: another program, which may write to the same terminal. `void`: a device that keeps nothing.
 * `closed`: what stands where nothing was open.
 */
export type Reader = 'terminal' | 'file' | 'pipe' | 'void' | 'closed';

const NULL_DEVICE = '/dev/null';
/** Of the flags of an open file: how it was opened, and "for reading and writing". */
const ACCESS = 0o3;
const BOTH_WAYS = 0o2;

/** Who reads stdout. */
export function readerOfStdout(): Reader {
  const reader = readerOf(1);
  // Somebody who threw both away did so on purpose, and would not read what we say about it.
  return reader === 'closed' && readerOf(2) === 'closed' ? 'void' : reader;
}

/**
 * Node opens the null device, for reading and writing, in the place of a descriptor that was closed (`>&-`). A shell's
 * `> /dev/null` is for writing alone. Some programs throw the output of their children away as Node does; nobody who wants to
 * read it does either.
 */
export function readerOf(descriptor: number): Reader {
  if (isatty(descriptor)) return 'terminal';
  const found = fstatSync(descriptor);
  if (found.isFIFO() || found.isSocket()) return 'pipe';
  if (!found.isCharacterDevice() || found.rdev !== rdevOf(NULL_DEVICE)) return 'file';
  return (flagsOf(descriptor) & ACCESS) === BOTH_WAYS ? 'closed' : 'void';
}

function rdevOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.rdev;
}

/** 0 where the system does not tell. */
function flagsOf(descriptor: number): number {
  try {
    const [, octal = '0'] =
      /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? [];
    return Number.parseInt(octal, 8);
  } catch {
    return 0;
  }
}
