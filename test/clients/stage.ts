/** A server of ours with and without TLS, the real recogniser behind it, for clients that others have written. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float32ToInt16, int16ToPcm16, resample } from '@kikitori/audio';
import type { SpeechEngine } from '@kikitori/engine';
import { createLocalEngine } from '@kikitori/engine-local';
import { issueCertificate } from '@kikitori/sagemaker/stand-in';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterAll, beforeAll } from 'vitest';
import { speech } from '../browser/microphone.js';

export const KEY = 'the-key-of-a-test';
const SPEECH_RATE_HZ = 16_000;
const HOUR_MS = 3_600_000;

const engine = await createLocalEngine({ model: 'tiny', threads: 2, streamsMax: 4 }).catch(() => undefined);

/** Undefined where they can be. */
export const whyNoClients = engine === undefined ? 'no model tiny' : undefined;
if (whyNoClients !== undefined) process.stderr.write(`clients of others are not tried: ${whyNoClients}\n`);

/** Two doors to one recogniser, both with a key. */
export interface Stage {
  readonly engine: SpeechEngine;
  readonly plain: RunningServer;
  readonly secure: RunningServer;
  /** What signed the certificate of `secure`, PEM. */
  readonly authority: string;
}

/** A stage for the tests of the suite that calls this: there when they run, and gone with the recogniser behind them. */
export function useStage(): Stage {
  let opened: (Stage & AsyncDisposable) | undefined;
  beforeAll(async () => {
    if (engine !== undefined) opened = await openStage(engine);
  });
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
    await engine?.close();
  });
  const stage = (): Stage => {
    if (opened === undefined) throw new Error('There is a stage only while a test runs.');
    return opened;
  };
  return {
    get engine() {
      return stage().engine;
    },
    get plain() {
      return stage().plain;
    },
    get secure() {
      return stage().secure;
    },
    get authority() {
      return stage().authority;
    },
  };
}

async function openStage(engine: SpeechEngine): Promise<Stage & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'kikitori-clients-'));
  const issued = await issueCertificate({
    names: ['localhost', '127.0.0.1'],
    authorityName: 'the authority of a test',
    lifeMs: HOUR_MS,
  });
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(certFile, issued.certificate);
  await writeFile(keyFile, issued.key);
  const shared = { engine, attach: attachWebSockets, port: 0, apiKey: KEY };
  const plain = await startServer({ ...shared, wyoming: { host: '127.0.0.1', port: 0 } });
  const secure = await startServer({ ...shared, tls: { certFile, keyFile } });
  return {
    engine,
    plain,
    secure,
    authority: issued.authority,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([plain.close(), secure.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Samples of speech and a second of silence behind them, 16-bit PCM. */
export async function spoken(rateHz: number, ...names: readonly string[]): Promise<Buffer> {
  const samples = await speech(...names);
  const padded = new Float32Array(samples.length + SPEECH_RATE_HZ);
  padded.set(samples);
  const heard =
    rateHz === SPEECH_RATE_HZ
      ? padded
      : resample(padded, { inputRateHz: SPEECH_RATE_HZ, outputRateHz: rateHz });
  return Buffer.from(int16ToPcm16(float32ToInt16(heard)));
}

/** The parts of audio as a microphone gives them, so many milliseconds each. */
export function* partsOf(pcm: Buffer, rateHz: number, ms = 100): Generator<Buffer> {
  const length = 2 * Math.round((rateHz * ms) / 1_000);
  for (let at = 0; at < pcm.length; at += length) yield pcm.subarray(at, at + length);
}
