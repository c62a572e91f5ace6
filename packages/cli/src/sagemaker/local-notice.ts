import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isLoopback } from '@kikitori/transport/doors';
import type { Environment } from '../context.js';

/**
 * What a stand-in of SageMaker on this machine tells the other commands of the same user, in a file of theirs: how to
 * trust it, and which region it plays. Its keys are public and belong to every stand-in, so they are not in there.
 */
export interface LocalNotice {
  /** Of the process that listens; a notice whose process is gone counts for nothing. */
  readonly pid: number;
  readonly region: string;
  /** PEM of what to trust; absent without TLS. */
  readonly authority: string | undefined;
}

/** Leaves the notice for the stand-in that listens on this port. What it resolves with takes the notice away again. */
export async function leaveNotice(
  port: number,
  notice: LocalNotice,
  env: Environment,
): Promise<() => Promise<void>> {
  const path = await noticePath(port, env);
  const { makeFolder } = await import('@kikitori/engine-local');
  await makeFolder(dirname(path), 0o700);
  await writeFile(path, JSON.stringify(notice), { mode: 0o600 });
  return () => rm(path, { force: true });
}

/** The notice of the stand-in that this URL leads to; undefined where there is none, and for every host but this one. */
export async function findNotice(url: string, env: Environment): Promise<LocalNotice | undefined> {
  if (!isLocalUrl(url)) return undefined;
  const { protocol, port } = new URL(url);
  try {
    const text = await readFile(
      await noticePath(Number(port || (protocol === 'https:' ? 443 : 80)), env),
      'utf8',
    );
    const notice = noticeOf(JSON.parse(text));
    return notice !== undefined && isAlive(notice.pid) ? notice : undefined;
  } catch {
    // No notice, or one that cannot be read: as if there were none.
    return undefined;
  }
}

/** Whether a URL leads to this machine and nowhere else. */
export function isLocalUrl(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname);
}

async function noticePath(port: number, env: Environment): Promise<string> {
  const { homeFolder, storeRoot } = await import('@kikitori/engine-local');
  const root = storeRoot({ env, platform: process.platform, home: homeFolder(env) });
  return join(root, 'sagemaker-local', `${port}.json`);
}

function noticeOf(value: unknown): LocalNotice | undefined {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('region' in value))
    return undefined;
  const { pid, region } = value;
  if (typeof pid !== 'number' || typeof region !== 'string') return undefined;
  const authority = 'authority' in value && typeof value.authority === 'string' ? value.authority : undefined;
  return { pid, region, authority };
}

function isAlive(pid: number): boolean {
  try {
    // Signal 0 is none: it only asks.
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
