import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { abortable } from '@kikitori/core';
import { AudioError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { openInThread, type ThreadStream } from './decoder-host.js';
import { encryptedError, FfmpegReport, tooCostlyError } from './ffmpeg-report.js';
import type { FormatRow } from './format-table.js';
import { limitedCommand } from './limited-command.js';
import {
  FFMPEG_ALLOCATION_BYTES_MAX,
  FFMPEG_CPU_S_MIN,
  FFMPEG_MEMORY_BYTES_MAX,
  FFMPEG_SPEED_MIN,
  FFMPEG_TRACKS_MAX,
  HOLE_MS_MAX,
  STDERR_CHARS_MAX,
} from './limits.js';
import { MpegScan } from './mpeg-scan.js';
import type { AudioTracks } from './pcm-stream.js';
import { checkPromise } from './speech-chunks.js';
import type { Hearing, SpeechLimits } from './speech-stream.js';
import { StallWatch } from './stall-watch.js';

/** How `openFfmpeg` runs the program. */
export interface FfmpegOptions extends SpeechLimits {
  /** The program. */
  readonly program: string;
  /** ffmpeg's name of the container; always given, so that nothing is guessed from the content. */
  readonly demuxer: string;
  readonly stallTimeoutMs: number;
  /** The format's row of `FORMATS`; default: nothing is known of it. */
  readonly row?: Pick<FormatRow, 'clock' | 'startsAtOnce'>;
  /** Which of its sound tracks is read; default: the first. */
  readonly tracks?: AudioTracks | undefined;
  /** Processor time in all, whole seconds. Default: a share of `maxDurationMs`. */
  readonly cpuS?: number;
  /** Default `mix`. */
  readonly hearing?: Hearing;
  readonly signal: AbortSignal;
}

/** How the program ended. */
interface Ended {
  readonly exitCode: number | null;
  /** It was killed, and not by us: the kernel does that to a child that takes more than it may. */
  readonly isKilled: boolean;
}

/**
 * Decodes with the system's ffmpeg in a process of its own. It reads the named file or its stdin and nothing
 * else: the container is forced (no playlist or concat script is recognised), every protocol but the one in
 * use is off. Memory, processor time, tracks and talk are bounded, and it can write nothing but its answer; of the tracks
 * one that is sound is read, the others are dropped as they come. Sound comes as floats in Matroska, at its own rate and
 * channels, with its times; silence where there was none, mixing and resampling are ours, in a thread.
 * Resolves once the first sound (or the end) is known. Throws `decode_failed`, `decoder_stalled`, `no_audio_track`,
 * `decoder_missing`, `file_encrypted`, `ffmpeg_unusable`, or the signal's reason.
 */
export async function openFfmpeg(source: ByteSource, options: FfmpegOptions): Promise<ThreadStream> {
  const run = new FfmpegRun(source, options);
  try {
    return await run.open();
  } catch (error) {
    await run.close();
    throw error;
  }
}

class FfmpegRun {
  readonly #source: ByteSource;
  readonly #options: FfmpegOptions;
  readonly #report = new FfmpegReport();
  readonly #watch: StallWatch;
  /** Ends every wait of this run: the caller's signal, or a stall. */
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  #thread: ThreadStream | undefined;
  #child: ChildProcessWithoutNullStreams | undefined;
  #closed: Promise<Ended> = Promise.resolve({ exitCode: null, isKilled: false });
  #feeding: Promise<void> = Promise.resolve();
  #feedError: unknown;
  #exitCode: number | null = null;
  #saidChars = 0;
  #isEnding = false;
  /** Of MP3: its frames, once ffmpeg has complained of what may be tags. */
  #scan: MpegScan | undefined;
  #inputKnown: (() => void) | undefined;
  /** We wait for the source: no sound is nobody's fault. */
  #sourceTurn = false;
  /** We wait for ffmpeg's sound. */
  #reading = false;

  constructor(source: ByteSource, options: FfmpegOptions) {
    this.#source = source;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal]);
    this.#watch = new StallWatch(options.stallTimeoutMs, () => {
      this.#ending.abort(
        new AudioError(
          'decoder_stalled',
          'ffmpeg stopped answering on this file; convert it to WAV and try again.',
        ),
      );
    });
  }

  async open(): Promise<ThreadStream> {
    const child = this.#start();
    await this.#started(child);
    if (this.#source.path === undefined) this.#feeding = this.#feed(child.stdin);
    else child.stdin.end();
    const zeroMs = this.#options.row?.clock === 'jumps' ? await this.#startMs(child) : 0;
    const thread = await this.#openThread(child, zeroMs);
    if (thread?.isJudged === true) return { ...thread, close: () => this.close() };
    const first = await thread?.chunks.next();
    if (thread === undefined || first === undefined || first.done === true) return this.#empty(thread);
    if (this.#report.isEncrypted) throw encryptedError();
    const { audioTracks: count, durationMs, isEstimated } = this.#report;
    // The length stands in what ffmpeg says and not in what it writes. An estimate is no promise.
    if (!isEstimated) checkPromise({ ...thread, durationMs }, this.#options.maxSamples);
    return {
      ...thread,
      durationMs,
      tracks: this.#options.tracks ?? { count, chosen: 0 },
      chunks: this.#chunks(first.value, thread.chunks),
      isDamaged: () => thread.isDamaged() || this.#isBroken() || this.#exitCode !== 0,
      leftOutBytes: () => 0,
      close: () => this.close(),
    };
  }

  #isBroken(): boolean {
    const { hasDamage, hasErrors } = this.#report;
    return hasDamage || (hasErrors && this.#scan?.isBroken === true);
  }

  async close(): Promise<void> {
    this.#watch.stop();
    this.#ending.abort(new AudioError('file_unreadable', 'The file was closed while it was being read.'));
    this.#isEnding = true;
    // SIGKILL: there is nothing to save, and a stuck decoder does not hear anything milder.
    this.#child?.kill('SIGKILL');
    for (const pipe of [this.#child?.stdin, this.#child?.stdout, this.#child?.stderr]) pipe?.destroy();
    await Promise.allSettled([this.#feeding, this.#closed, this.#thread?.close()]);
  }

  /** Resolves to undefined where ffmpeg wrote not even a header. */
  async #openThread(
    child: ChildProcessWithoutNullStreams,
    zeroMs: number | undefined,
  ): Promise<ThreadStream | undefined> {
    const { row, maxDurationMs, maxSamples, stallTimeoutMs, hearing = 'mix' } = this.#options;
    const task = {
      kind: 'ffmpeg',
      hasClock: row?.clock !== undefined,
      zeroMs,
      maxDurationMs,
      maxSamples,
      hearing,
    } as const;
    const options = { task, stallTimeoutMs, signal: this.#signal };
    try {
      this.#thread = await openInThread({ bytes: () => this.#output(child) }, options);
      return this.#thread;
    } catch (error) {
      if (error instanceof AudioError && error.code === 'not_audio') return undefined;
      throw error;
    }
  }

  /** What the clock shows where the file begins: said before anything is written. undefined where it is not said. */
  async #startMs(child: ChildProcessWithoutNullStreams): Promise<number | undefined> {
    const known = new Promise<void>((resolve) => {
      this.#inputKnown = resolve;
      child.once('exit', resolve);
    });
    this.#reading = true;
    this.#turn(this.#sourceTurn);
    await abortable(known, this.#signal);
    this.#reading = false;
    this.#turn(this.#sourceTurn);
    return this.#report.startMs;
  }

  #start(): ChildProcessWithoutNullStreams {
    const { program, maxDurationMs } = this.#options;
    const { cpuS = FFMPEG_CPU_S_MIN + maxDurationMs / 1000 / FFMPEG_SPEED_MIN } = this.#options;
    const limits = { memoryBytes: FFMPEG_MEMORY_BYTES_MAX, cpuS };
    const { command, args } = limitedCommand(program, this.#arguments(), limits);
    // FFREPORT would have it write a file, with names and tags of what it reads.
    const { FFREPORT: _, ...env } = process.env;
    const child = spawn(command, args, { env, windowsHide: true });
    this.#child = child;
    this.#closed = new Promise((settle) =>
      child.once('close', (exitCode, signal) =>
        settle({ exitCode, isKilled: signal !== null && !this.#isEnding }),
      ),
    );
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    // The thread that will ask for the sound may start later than a short child ends: then Node would throw it away.
    child.stdout.on('readable', () => undefined);
    // A pipe that breaks shows as the end of the sound; without a listener it would end the process.
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on('error', () => undefined);
    return child;
  }

  #hear(text: string): void {
    this.#report.add(text);
    this.#saidChars += text.length;
    if (this.#report.isInputKnown) this.#inputKnown?.();
    if (this.#saidChars - this.#report.repeatedChars > STDERR_CHARS_MAX)
      this.#ending.abort(this.#report.toError(null));
  }

  async #started(child: ChildProcessWithoutNullStreams): Promise<void> {
    try {
      await once(child, 'spawn', { signal: this.#signal });
      child.on('error', () => undefined);
    } catch (error) {
      this.#options.signal.throwIfAborted();
      throw unusable(error);
    }
  }

  #arguments(): string[] {
    const { path } = this.#source;
    const { row, demuxer, tracks } = this.#options;
    return [
      ['-hide_banner', '-nostats', '-nostdin', '-loglevel', 'level+info'],
      ['-max_alloc', String(FFMPEG_ALLOCATION_BYTES_MAX), '-threads', '1'],
      ['-max_streams', String(FFMPEG_TRACKS_MAX)],
      // Of its own accord it closes holes of 10 s in formats whose clock may jump (Ogg, MPEG-TS).
      ['-dts_delta_threshold', String(HOLE_MS_MAX / 1000)],
      // Otherwise it begins such a clock with the track that is read, and not with the earliest; 1 µs keeps it from that.
      ...(row?.clock === 'jumps' ? [['-copyts', '-itsoffset', '0.000001']] : []),
      ...(path === undefined && row?.startsAtOnce ? [['-probesize', '32', '-analyzeduration', '0']] : []),
      ['-protocol_whitelist', path === undefined ? 'pipe' : 'file', '-f', demuxer],
      // "file:" and an absolute path: a name such as "http:x" or "-y" stays a name.
      ['-i', path === undefined ? 'pipe:0' : `file:${resolve(path)}`],
      ['-map', `0:a:${tracks?.chosen ?? 0}`, '-vn', '-sn', '-dn'],
      ['-map_metadata', '-1', '-map_chapters', '-1'],
      ['-c:a', 'pcm_f32le', '-fflags', '+bitexact', '-flags:a', '+bitexact'],
      // Each piece goes out as it comes: a Cluster is written when it is whole.
      ['-flush_packets', '1', '-cluster_time_limit', '0', '-f', 'matroska', 'pipe:1'],
    ].flat();
  }

  /** Gives the source to ffmpeg's stdin, one piece at a time, as fast as it takes them. */
  async #feed(stdin: ChildProcessWithoutNullStreams['stdin']): Promise<void> {
    try {
      this.#turn(true);
      if (this.#options.demuxer === 'mp3') this.#scan = new MpegScan();
      for await (const piece of this.#source.bytes()) {
        this.#turn(false);
        this.#scan?.push(piece);
        if (stdin.destroyed) return; // ffmpeg has had enough
        if (!stdin.write(piece)) await drained(stdin, this.#signal);
        this.#turn(true);
      }
    } catch (error) {
      if (!this.#signal.aborted) this.#feedError = error;
    } finally {
      this.#turn(false);
      stdin.end();
    }
  }

  async *#output(child: ChildProcessWithoutNullStreams): AsyncGenerator<Uint8Array, void> {
    const iterator = child.stdout[Symbol.asyncIterator]();
    while (true) {
      this.#reading = true;
      this.#turn(this.#sourceTurn);
      try {
        const { done, value } = await abortable<IteratorResult<unknown, unknown>>(
          iterator.next(),
          this.#signal,
        );
        if (done === true || !(value instanceof Uint8Array)) return;
        this.#reading = false;
        this.#turn(this.#sourceTurn);
        yield value;
      } finally {
        this.#reading = false;
        this.#turn(this.#sourceTurn);
      }
    }
  }

  /** No sound came: an empty recording where ffmpeg is content, else an error. */
  async #empty(thread: ThreadStream | undefined): Promise<ThreadStream> {
    this.#child?.stdout.destroy(); // unread output would keep "close" from ever coming
    const { exitCode, isKilled } = await abortable(this.#closed, this.#signal);
    if (this.#feedError !== undefined) throw this.#feedError;
    if (isKilled) throw tooCostlyError();
    if (thread === undefined && (exitCode === 126 || exitCode === 127)) throw unusable();
    // Where memory for the index was refused, the demuxer of MP4 goes on without any sound and without a word about it.
    const isPromised = (this.#report.durationMs ?? 0) > 0;
    if (thread === undefined || exitCode !== 0 || this.#report.hasErrors || isPromised) {
      throw this.#report.toError(exitCode);
    }
    const whole = { tracks: undefined, isDamaged: () => false, leftOutBytes: () => 0 };
    // Its chunks are at their end.
    return { ...thread, durationMs: 0, ...whole, close: () => this.close() };
  }

  async *#chunks(
    first: Float32Array<ArrayBuffer>,
    rest: AsyncGenerator<Float32Array<ArrayBuffer>, void>,
  ): AsyncGenerator<Float32Array<ArrayBuffer>, void> {
    try {
      yield first;
      yield* rest;
      const { exitCode, isKilled } = await abortable(this.#closed, this.#signal);
      this.#exitCode = exitCode;
      if (this.#feedError !== undefined) throw this.#feedError;
      if (isKilled) throw tooCostlyError();
      await this.#scanFile();
    } finally {
      await this.close();
    }
  }

  /** An MP3 file that ffmpeg read itself is read again, where only that can tell whether it is whole. */
  async #scanFile(): Promise<void> {
    const { path } = this.#source;
    const { hasDamage, hasErrors } = this.#report;
    if (this.#options.demuxer !== 'mp3' || path === undefined || hasDamage || !hasErrors) return;
    this.#scan = new MpegScan();
    for await (const piece of this.#source.bytes()) {
      this.#signal.throwIfAborted();
      this.#scan.push(piece);
    }
  }

  #turn(sourceTurn: boolean): void {
    this.#sourceTurn = sourceTurn;
    this.#watch.progress(this.#reading && !sourceTurn);
  }
}

function unusable(cause?: unknown): AudioError {
  return new AudioError('ffmpeg_unusable', 'ffmpeg could not be started; check it with "ffmpeg -version".', {
    cause,
  });
}

/** Waits until a pipe takes more, or is gone, or the signal aborts. */
async function drained(pipe: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  const either = new AbortController();
  const waiting = { signal: AbortSignal.any([signal, either.signal]) };
  const events = [once(pipe, 'drain', waiting), once(pipe, 'close', waiting)];
  try {
    // "error" rejects these: ffmpeg has closed its end, as it may once it has what it wants.
    await Promise.race(events).catch(() => signal.throwIfAborted());
  } finally {
    either.abort();
    await Promise.allSettled(events);
  }
}
