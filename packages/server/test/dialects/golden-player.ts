/**
 * Plays a conversation that is written down, against a real session over a scripted engine. A file has a line for each message:
 *
 *     # what this shows
 *     GET /v1/listen?interim_results=true
 *     > audio 500            silence of so many milliseconds, as the dialect sends it
 *     > {"type":"Finalize"}
 *     < {"type":"Results", …}
 *     < close 1000
 *
 * The first line that is no comment is what was asked for. What the client says is sent in order; where the file has an answer next,
 * it is waited for. Ids of sessions read `sess-0`. With `KIKITORI_GOLDEN=write` the answers are written anew: read them before they
 * are committed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { ManualClock } from '@kikitori/core/manual-clock';
import { createScriptedEngine, type ScriptedEngineOptions } from '@kikitori/engine';
import { createMemoryPair, type Message } from '@kikitori/transport';
import { expect } from 'vitest';
import type { Dialect, DialectRequest } from '../../src/dialects/dialect.js';
import { startSession } from '../../src/session/serve-connection.js';
import { listenTo } from '../realtime-client.js';
import { SCRIPT } from '../test-server.js';

/** A file, and who plays it. */
export interface GoldenOptions {
  readonly dialect: Dialect;
  readonly path: URL;
  /** Silence of that many milliseconds, as a client of the dialect sends it. */
  audio(lengthMs: number): readonly Message[];
  readonly engine?: Partial<ScriptedEngineOptions>;
}

const SAYS = '> ';
const HEARS = '< ';
const CLOSES = 'close ';
/** Turns of the event loop in which everything in memory comes to rest; only for writing. */
const REST_TURNS = 200;

/** Plays it; an answer that is missing, too much or other than it stands there fails the test. */
export async function playGolden(options: GoldenOptions): Promise<void> {
  const isWriting = process.env['KIKITORI_GOLDEN'] === 'write';
  const lines = readFileSync(options.path, 'utf8').split('\n').filter(Boolean);
  const engine = createScriptedEngine({ ...SCRIPT, ...options.engine });
  const { near, far } = createMemoryPair();
  const claimed = { dialect: options.dialect, request: requestOf(lines) };
  const session = startSession(far, { engine, claimed, clock: new ManualClock(1_800_000_000_000) });
  const { told, closed, news } = listenTo(near);
  const played: string[] = [];
  let taken = 0;
  const take = (): void => {
    for (const message of told.slice(taken)) played.push(`${HEARS}${nameless(message)}`);
    taken = told.length;
  };
  for (const line of lines) {
    if (line.startsWith(SAYS)) {
      played.push(line);
      for (const message of messagesOf(line.slice(SAYS.length), options)) await near.send(message);
      if (isWriting) await rest(take);
    } else if (!line.startsWith(HEARS)) {
      played.push(line);
    } else if (line.startsWith(`${HEARS}${CLOSES}`)) {
      if (isWriting) continue;
      const code = await closed;
      take();
      played.push(`${HEARS}${CLOSES}${code}`);
    } else if (!isWriting) {
      const isOver = closed.then(() => true);
      while (told.length === taken && !(await Promise.race([news(), isOver]))) {
        // Something came.
      }
      const message = told[taken];
      if (message !== undefined) {
        played.push(`${HEARS}${nameless(message)}`);
        taken += 1;
      }
      expect(played.at(-1)).toBe(line);
    }
  }
  if (isWriting)
    played.push(`${HEARS}${CLOSES}${await Promise.race([closed, rest(take).then(() => 'never')])}`);
  await near.close();
  await session.ended;
  await engine.close();
  take();
  const text = `${played.join('\n')}\n`.replace(`${HEARS}${CLOSES}never\n`, '');
  if (isWriting) writeFileSync(options.path, text);
  expect(text).toBe(`${lines.join('\n')}\n`);
}

function requestOf(lines: readonly string[]): DialectRequest {
  const [, target = '/'] = (lines.find((line) => line.startsWith('GET ')) ?? '').split(' ');
  const [path = '/', query = ''] = target.split('?');
  return { path, query, headers: {}, protocols: [] };
}

function messagesOf(said: string, { audio }: GoldenOptions): readonly Message[] {
  const [word, lengthMs] = said.split(' ');
  return word === 'audio' ? audio(Number(lengthMs)) : [said];
}

function nameless(message: Message): string {
  return String(message).replaceAll(/\b(sess[-_]|item_|event_|conv_)[0-9a-f]{16}/g, '$10');
}

async function rest(take: () => void): Promise<void> {
  for (let turn = 0; turn < REST_TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  take();
}
