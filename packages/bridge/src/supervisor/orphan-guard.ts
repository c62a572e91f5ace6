import { spawn } from 'node:child_process';

/** Waits for a line or the end of its input; at the end: SIGTERM to the group, and SIGKILL after so many seconds. */
const SCRIPT = 'read -r _ && exit 0; kill -s TERM -- "-$1"; sleep "$2"; kill -s KILL -- "-$1"';

/**
 * Keeps a model server from outliving us when we are killed and can do nothing any more: a shell of one megabyte that reads
 * from a pipe of ours, which the system closes whatever ends us.
 *
 * None where there is no shell, and none for process 1 of a container, with which the system ends all others.
 */
export class OrphanGuard {
  readonly #release: () => void;

  private constructor(release: () => void) {
    this.#release = release;
  }

  /** `group`: the process group to end; `killAfterMs`: between its SIGTERM and its SIGKILL. */
  static watch(group: number, killAfterMs: number): OrphanGuard {
    if (process.pid === 1 || process.platform === 'win32') return new OrphanGuard(() => undefined);
    const seconds = String(Math.max(1, Math.ceil(killAfterMs / 1000)));
    // In a session of its own, so that what is meant for us does not end it first.
    const guard = spawn('/bin/sh', ['-c', SCRIPT, 'kikitori-guard', String(group), seconds], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      detached: true,
    });
    guard.on('error', () => undefined);
    guard.stdin.on('error', () => undefined);
    guard.unref();
    return new OrphanGuard(() => guard.stdin.end('\n'));
  }

  /** The group has ended: there is nobody to end any more. Idempotent. */
  release(): void {
    this.#release();
  }
}
