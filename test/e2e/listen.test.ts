/**
 * `kikitori listen` at a real sound system: PulseAudio in a folder of its own, with a room that nobody hears and a
 * microphone in it.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listModels } from '@kikitori/engine-local';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { shareHeard, wordsOf } from './reliability/words.js';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

const hasPulse = ['pulseaudio', 'pactl', 'paplay'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
);
const present = (await listModels()).filter(({ state }) => state === 'present').map(({ name }) => name);
const hasModels = present.includes('tiny') && present.includes('silero');
if (!hasPulse) process.stderr.write('the tests at a microphone are skipped: no pulseaudio\n');

/** What a room with a microphone is made of. */
const ROOM = [
  'module-native-protocol-unix',
  'module-null-sink sink_name=room sink_properties=device.description=Room',
  'module-remap-source master=room.monitor source_name=desk source_properties=device.description=Desk',
];

describe.skipIf(!hasPulse || !hasModels)('kikitori listen', { timeout: 120_000 }, () => {
  let folder = '';
  let env: NodeJS.ProcessEnv = {};
  let daemon: ChildProcess;
  let listening: ChildProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kikitori-pulse-'));
    const home = {
      XDG_RUNTIME_DIR: folder,
      XDG_CONFIG_HOME: folder,
      PULSE_RUNTIME_PATH: join(folder, 'pulse'),
    };
    env = { ...process.env, ...home };
    const modules = ROOM.flatMap((module) => ['-L', module]);
    daemon = spawn('pulseaudio', ['-n', '--exit-idle-time=-1', '--daemonize=no', ...modules], {
      env,
      stdio: 'ignore',
    });
    await vi.waitFor(() => run('pactl', ['info'], { env }), { timeout: 20_000 });
  });
  afterAll(async () => {
    listening?.kill('SIGKILL');
    if (daemon.kill('SIGTERM')) await once(daemon, 'exit');
    await rm(folder, { recursive: true, force: true });
  });

  it('writes what is said into a microphone, chosen by a part of its name, until Ctrl-C', async () => {
    const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');
    const list = await run(process.execPath, [command, 'listen', '--list-devices'], { env });
    expect(list.stdout).toMatch(/^\d+ {2}Desk$/m);

    const words = ['listen', '--model', 'tiny', '--device', 'desk'];
    const child = spawn(process.execPath, [command, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    listening = child;
    let written = '';
    let notes = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      notes += text;
    });
    await expect.poll(() => notes).toContain('Listening; Ctrl-C ends.');
    await run('paplay', ['--device=room', join(root, 'samples', 'kitchen.flac')], { env });
    // Words come before the end. Which, and how many, depends on what a busy machine lets a microphone hear, and when.
    await expect.poll(() => wordsOf(written).length).toBeGreaterThan(2);
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(shareHeard('kitchen.flac', written), written).toBeGreaterThan(1 / 3);
    expect(written).toMatch(/\n$/);
  });
});
