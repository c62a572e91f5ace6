import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Pcm16Decoder } from '@kikitori/audio';
import { limitedCommand } from '@kikitori/audio/file';
import { CliError } from '../errors.js';
import { MICROPHONE_LIST_CHARS_MAX, MICROPHONE_START_MS, RECORDER_MEMORY_BYTES_MAX } from '../limits.js';

/** Sound as it is being recorded. */
export interface Microphone {
  /** Mono, −1…1, 16 kHz, blocks of any length. One consumer; ends after `close`, throws `CliError` when the device is lost. */
  readonly samples: AsyncIterable<Float32Array>;
  /** Lets go of the device; sound recorded so far is still delivered. Idempotent. */
  close(): void;
}

/** A microphone of the system. */
export interface MicrophoneDevice {
  /** Its number for the recorder, and for `--device`. */
  readonly number: number;
  readonly name: string;
}

export interface MicrophoneOptions {
  /** Number of a device, a part of its name, or undefined for the system's default. */
  readonly device: string | undefined;
  readonly signal: AbortSignal;
}

/** A program that writes PCM16, 16 kHz, mono to stdout until it is told to end. */
export interface RecorderCommand {
  readonly command: string;
  readonly args: readonly string[];
}

const NO_MICROPHONE =
  'No microphone was found; plug one in, or pipe audio: arecord -f S16_LE -r 16000 -t raw | kikitori transcribe - --raw-format s16le:16000:1.';

const recorderPath = fileURLToPath(new URL('./recorder-process.js', import.meta.url));

/** What ALSA calls its device that hears nothing. */
const NULL_DEVICE = /^Discard all samples/;

const LIST_COMMAND: RecorderCommand = { command: process.execPath, args: [recorderPath, 'list'] };

/**
 * Any processor time, because a recording has no end; and files, because sound libraries share memory with the system's sound
 * server by files of some megabytes.
 */
const RECORDER_LIMITS = { memoryBytes: RECORDER_MEMORY_BYTES_MAX, writesFiles: true };

/**
 * The microphones in the order of the system, which may leave out a number. Empty where there is none, or where the program
 * that lists them says nothing in time or talks without end.
 */
export async function listMicrophones(
  list: RecorderCommand = LIST_COMMAND,
): Promise<readonly MicrophoneDevice[]> {
  const { command, args } = limitedCommand(list.command, list.args, RECORDER_LIMITS);
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: MICROPHONE_START_MS,
    killSignal: 'SIGKILL',
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (text.length > MICROPHONE_LIST_CHARS_MAX) child.kill('SIGKILL');
  });
  const [exitCode] = await once(child, 'close');
  const names: unknown = exitCode === 0 && text !== '' ? JSON.parse(text) : [];
  return Array.isArray(names) ? devicesOf(names.map(String)) : [];
}

/** The devices behind the names that the recorder lists. Its numbers count the ones that are left out here, too. */
export function devicesOf(names: readonly string[]): readonly MicrophoneDevice[] {
  return names
    .map((name, number) => ({ number, name: name === '' ? 'unnamed' : name }))
    .filter(({ name }) => !NULL_DEVICE.test(name));
}

/**
 * Starts to record. Resolves with the first sound; rejects with `CliError`: `service_failed` where there is no
 * microphone or it stays silent at the start, `bad_input` where the device asked for is not there.
 */
export async function openMicrophone(options: MicrophoneOptions): Promise<Microphone> {
  const devices = await listMicrophones();
  if (devices.length === 0) {
    // Some systems have no build of the native recorder, but one of the usual programs.
    return await firstThatRecords(SYSTEM_RECORDERS, options.signal);
  }
  const number = deviceNumber(options.device, devices);
  return await openRecorder(
    { command: process.execPath, args: [recorderPath, 'record', String(number)] },
    options.signal,
  );
}

const SYSTEM_RECORDERS: readonly RecorderCommand[] = [
  { command: 'arecord', args: ['-q', '-f', 'S16_LE', '-r', '16000', '-c', '1', '-t', 'raw'] },
  {
    command: 'sox',
    args: ['-q', '-d', '-r', '16000', '-c', '1', '-b', '16', '-e', 'signed', '-t', 'raw', '-'],
  },
];

async function firstThatRecords(
  commands: readonly RecorderCommand[],
  signal: AbortSignal,
): Promise<Microphone> {
  for (const command of commands) {
    try {
      return await openRecorder(command, signal);
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }
  throw new CliError('service_failed', NO_MICROPHONE);
}

/** What the recorder calls the device that was asked for; −1 is its word for the default. Throws `bad_input`. */
export function deviceNumber(device: string | undefined, devices: readonly MicrophoneDevice[]): number {
  if (device === undefined) return -1;
  const found = devices.find(({ number, name }) =>
    /^\d+$/.test(device) ? number === Number(device) : name.toLowerCase().includes(device.toLowerCase()),
  );
  if (found !== undefined) return found.number;
  throw new CliError(
    'bad_input',
    'There is no such microphone; "kikitori listen --list-devices" shows them.',
  );
}

type RecorderChild = ChildProcessByStdio<Writable, Readable, null>;

/** Starts a recorder and waits for its first sound. Errors as `openMicrophone`. */
export async function openRecorder(recorder: RecorderCommand, signal: AbortSignal): Promise<Microphone> {
  signal.throwIfAborted();
  const { command, args } = limitedCommand(recorder.command, recorder.args, RECORDER_LIMITS);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  // Ending its input is how it is told to stop; a program that is already gone minds nothing.
  child.stdin.on('error', () => undefined);
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', () => reject(new CliError('service_failed', NO_MICROPHONE)));
    child.once('exit', () => reject(new CliError('service_failed', NO_MICROPHONE)));
  });
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(MICROPHONE_START_MS)]);
  try {
    await Promise.race([once(child.stdout, 'readable', { signal: bounded }), failed]);
    if (child.stdout.readableLength === 0) await failed;
  } catch (error) {
    child.kill('SIGKILL');
    if (signal.aborted) throw signal.reason;
    if (error instanceof CliError) throw error;
    throw new CliError(
      'service_failed',
      'The microphone gives no sound; check that it is not muted or in use.',
    );
  } finally {
    failed.catch(() => undefined);
  }
  return microphoneOf(child);
}

function microphoneOf(child: RecorderChild): Microphone {
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    child.stdin.end();
    child.kill('SIGTERM');
  };
  async function* read(): AsyncGenerator<Float32Array> {
    const decoder = new Pcm16Decoder();
    let hasEnded = false;
    try {
      for await (const bytes of child.stdout) yield decoder.push(bytes);
      hasEnded = !isClosed;
    } finally {
      close();
    }
    if (hasEnded) throw new CliError('service_failed', 'The microphone is gone; plug it in and start again.');
  }
  return { samples: read(), close };
}
