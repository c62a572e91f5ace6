import { createServer } from 'node:net';
import { freemem } from 'node:os';
import { findFfmpeg } from '@kikitori/audio/file';
import { machineShare } from '@kikitori/engine';
import { byteSize } from '../terminal/figures.js';
import type { Check, Finding } from './check.js';

const NODE_MAJOR_MIN = 20;
const NODE_MINOR_MIN = 19;

/** Free memory with which the default model and a handful of speakers are comfortable. */
const FREE_BYTES_GOOD = 800_000_000;
/** A machine with less cannot hold the model at all. */
const TOTAL_BYTES_MIN = 400_000_000;

/** Node.js is new enough. */
export const nodeCheck: Check = {
  name: 'Node.js',
  look: async () => nodeFinding(process.versions.node),
};

/** As `nodeCheck`, for a given version such as `20.19.0`. */
export function nodeFinding(running: string): Finding {
  const [major = 0, minor = 0] = running.split('.').map(Number);
  const isNewEnough = major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN);
  return isNewEnough
    ? { status: 'ok', detail: running }
    : {
        status: 'fail',
        detail: running,
        advice: `Install Node ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or newer from https://nodejs.org.`,
      };
}

/** The port that `serve` takes is free. */
export const portCheck: Check = {
  name: 'Port',
  async look({ port }) {
    const problem = await tryPort(port);
    if (problem === undefined) return { status: 'ok', detail: `${port} is free on 127.0.0.1` };
    if (problem === 'EADDRINUSE') {
      return {
        status: 'warn',
        detail: `${port} is in use`,
        advice: 'A server may already be running; stop it, or choose another with --port.',
      };
    }
    return {
      status: 'fail',
      detail: `${port} cannot be used (${problem})`,
      advice: 'Choose a port above 1023 with --port.',
    };
  },
};

async function tryPort(port: number): Promise<string | undefined> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}

/** ffmpeg reads what the built-in decoders do not. */
export const ffmpegCheck: Check = {
  name: 'ffmpeg',
  async look(_question, context) {
    try {
      const path = await findFfmpeg(context.env);
      if (path !== undefined) return { status: 'ok', detail: path };
    } catch (error) {
      return {
        status: 'fail',
        detail: 'KIKITORI_FFMPEG names no program',
        advice: error instanceof Error ? error.message : 'Correct the path or unset it.',
      };
    }
    return {
      status: 'warn',
      detail: 'not found',
      advice: 'WAV, FLAC, MP3, Ogg and WebM work without; for M4A, AMR and others install ffmpeg.',
    };
  },
};

/** A microphone for `listen`. */
export const microphoneCheck: Check = {
  name: 'Microphone',
  async look(_question, context) {
    const devices = await context.factories.listMicrophones();
    return devices.length > 0
      ? { status: 'ok', detail: devices.map(({ name }) => name).join(', ') }
      : {
          status: 'warn',
          detail: 'none found',
          advice: 'Only "kikitori listen" needs one; files and pipes work without.',
        };
  },
};

/** Enough memory for the model, also inside of a container with a limit. */
export const memoryCheck: Check = {
  name: 'Memory',
  async look() {
    const { memoryBytes: totalBytes } = machineShare();
    return memoryFinding(Math.min(freemem(), totalBytes), totalBytes);
  },
};

/** As `memoryCheck`, for given figures in bytes. */
export function memoryFinding(freeBytes: number, totalBytes: number): Finding {
  const detail = `${byteSize(freeBytes)} free of ${byteSize(totalBytes)}`;
  if (totalBytes < TOTAL_BYTES_MIN) {
    return { status: 'fail', detail, advice: 'The model does not fit; run this on a larger machine.' };
  }
  if (freeBytes >= FREE_BYTES_GOOD) return { status: 'ok', detail };
  return { status: 'warn', detail, advice: 'Close other programs, or use the smaller model: --model tiny.' };
}
