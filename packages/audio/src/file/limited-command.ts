import { existsSync } from 'node:fs';

/** What a child process may take. */
export interface ChildLimits {
  /** Memory that it writes to, heap and stacks of threads, bytes. At the bound: it gets no more, and mostly gives up. */
  readonly memoryBytes: number;
  /** Processor time in all, whole seconds; undefined: any. At the bound: it is killed. */
  readonly cpuS?: number;
  /** It may write files of any size. Default: none of more than a few kilobytes, shared memory included. */
  readonly writesFiles?: boolean;
}

/** Files and pipes that a child may have open at once: its three, the one it reads, and the libraries while they load. */
const OPEN_FILES_MAX = 64;

/** Blocks of 512 or 1,024 bytes, as the shell counts, of a file that a child may write: enough for nothing. */
const WRITTEN_BLOCKS_MAX = 8;

const SHELL = '/bin/sh';
const hasShell = process.platform !== 'win32' && existsSync(SHELL);

/**
 * A command line that runs `program` with limits of the kernel: memory, processor time, open files; unless it
 * says otherwise it can write no file of more than a few kilobytes; no core is dumped. Its id is the program's own. A program that can not be run ends with 126 or 127, as in any shell.
 *
 * The limits are those of `prlimit`, set by the shell's `ulimit` and then kept over `exec`: `prlimit` itself is not there on
 * macOS and Alpine, every `sh` is. A limit that can not be set (a lower one is in force, or the system knows none of its kind,
 * as macOS none of memory) is left as it is. Without a shell (Windows) the program runs without limits of the kernel.
 */
export function limitedCommand(
  program: string,
  args: readonly string[],
  { memoryBytes, cpuS, writesFiles = false }: ChildLimits,
): { readonly command: string; readonly args: readonly string[] } {
  if (!hasShell) return { command: program, args };
  const limits = [
    `-d ${Math.floor(memoryBytes / 1024)}`,
    ...(cpuS === undefined ? [] : [`-t ${Math.ceil(cpuS)}`]),
    `-n ${OPEN_FILES_MAX}`,
    ...(writesFiles ? [] : [`-f ${WRITTEN_BLOCKS_MAX}`]),
    '-c 0',
  ];
  const script = `{ ${limits.map((limit) => `ulimit ${limit};`).join(' ')} } 2>/dev/null; exec "$@"`;
  return { command: SHELL, args: ['-c', script, 'sh', program, ...args] };
}
