import { readdirSync, readFileSync } from 'node:fs';
import { sleep, systemClock } from '@kikitori/core';
import type { SupervisorLimits } from './limits.js';

/** What ending a group depends on. */
export type EndingLimits = Pick<SupervisorLimits, 'killAfterMs' | 'goneMsMax' | 'gonePollMs'>;

/**
 * A process that leads a group and a session of its own (`detached`), and whatever it started that is still in either. It
 * goes on when the leader is gone: vLLM's engine and workers outlive an API server that is killed, with the memory of the GPU.
 *
 * Who has left both (`setsid`) is not found any more.
 */
export class ProcessGroup {
  /** Its process id, which is that of the group and of the session too. */
  readonly leader: number;

  constructor(leader: number) {
    this.leader = leader;
  }

  /** How many run. What has ended and was not collected does not count: where we are process 1, that may be for good. */
  get size(): number {
    return this.#members()?.length ?? (this.#reach(0) ? 1 : 0);
  }

  /** To all of them. One that has none left is passed over. */
  signal(name: NodeJS.Signals): void {
    const members = this.#members();
    // An empty group's number may be somebody else's by now.
    if (members?.length === 0) return;
    this.#reach(name);
    // Those of the session that made a group of their own.
    for (const { pid, group } of members ?? []) if (group !== this.leader) reach(pid, name);
  }

  /**
   * SIGTERM, and SIGKILL after `killAfterMs`. Resolves with whether all of them are gone, after `goneMsMax` more at the
   * latest.
   */
  async end({ killAfterMs, goneMsMax, gonePollMs }: EndingLimits): Promise<boolean> {
    this.signal('SIGTERM');
    if (await this.#isGoneWithin(killAfterMs, gonePollMs)) return true;
    this.signal('SIGKILL');
    return await this.#isGoneWithin(goneMsMax, gonePollMs);
  }

  async #isGoneWithin(delayMs: number, pollMs: number): Promise<boolean> {
    const deadline = performance.now() + delayMs;
    for (;;) {
      if (this.size === 0) return true;
      if (performance.now() >= deadline) return false;
      await sleep(systemClock, pollMs);
    }
  }

  /** @returns Whether the group has anybody. */
  #reach(signal: NodeJS.Signals | 0): boolean {
    return reach(-this.leader, signal);
  }

  /** Those that run, of the group or the session; undefined where the system does not list them. */
  #members(): readonly Member[] | undefined {
    try {
      return readdirSync('/proc').flatMap((name) => {
        const member = /^\d+$/.test(name) ? memberOf(name) : undefined;
        const isOurs = member?.group === this.leader || member?.session === this.leader;
        return member !== undefined && isOurs ? [member] : [];
      });
    } catch {
      return undefined;
    }
  }
}

interface Member {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
}

/** One that runs, from `/proc`; undefined for one that has ended. */
function memberOf(name: string): Member | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${name}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // `pid (name) state parent group session …`: the name may hold anything.
  const [state = 'X', , group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ', 4);
  if (/[ZXx]/.test(state)) return undefined;
  return { pid: Number(name), group: Number(group), session: Number(session) };
}

function reach(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    // There, and not ours to signal.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
