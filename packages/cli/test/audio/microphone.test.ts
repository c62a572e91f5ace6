import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  deviceNumber,
  devicesOf,
  listMicrophones,
  openMicrophone,
  openRecorder,
} from '../../src/audio/microphone.js';

/** A recorder that is a few lines of Node. */
function recorder(code: string) {
  return { command: process.execPath, args: ['-e', code] };
}
const never = new AbortController().signal;

describe('openRecorder', () => {
  it('delivers the sound, also samples cut in half on the way, until it is closed', async () => {
    const code = `process.stdout.write(Buffer.from([0, 0, 0]));
      setTimeout(() => process.stdout.write(Buffer.from([64, 0, 192])), 20);
      process.stdin.resume().on('end', () => process.exit());`;
    const microphone = await openRecorder(recorder(code), never);
    const samples: number[] = [];
    for await (const block of microphone.samples) {
      samples.push(...block);
      if (samples.length === 3) microphone.close();
    }
    expect(samples).toEqual([0, 0.5, -0.5]);
  });

  it('says so when the recorder finds no microphone', async () => {
    await expect(openRecorder(recorder('process.exit(3)'), never)).rejects.toMatchObject({
      code: 'service_failed',
      message: expect.stringContaining('plug one in'),
    });
    await expect(openRecorder({ command: 'no-such-recorder', args: [] }, never)).rejects.toMatchObject({
      code: 'service_failed',
    });
  });

  it('says so when the microphone is lost in the middle', async () => {
    const microphone = await openRecorder(recorder('process.stdout.write(Buffer.alloc(4))'), never);
    const read = async (): Promise<void> => {
      for await (const block of microphone.samples) void block;
    };
    await expect(read()).rejects.toMatchObject({ message: expect.stringContaining('is gone') });
  });

  it('stops waiting for a silent one when it is interrupted', async () => {
    const aborter = new AbortController();
    const opened = openRecorder(recorder('setInterval(() => {}, 1000)'), aborter.signal);
    aborter.abort(new Error('stop'));
    await expect(opened).rejects.toThrow('stop');
  });
});

describe.skipIf(!existsSync('/proc/self/limits'))('the program that records', () => {
  it('has a bound of memory, and none of time', async () => {
    const code = `const said = require('node:fs').readFileSync('/proc/self/limits', 'utf8');
      const isBound = /Max data size +536870912/.test(said) && /Max cpu time +unlimited/.test(said);
      process.stdout.write(Buffer.alloc(isBound ? 4 : 2));
      process.stdin.resume().on('end', () => process.exit());`;
    const microphone = await openRecorder(recorder(code), never);
    const lengths: number[] = [];
    for await (const block of microphone.samples) {
      lengths.push(block.length);
      microphone.close();
    }
    expect(lengths).toEqual([2]);
  });

  it('that lists without end counts as none', async () => {
    const code = `(function more() { process.stdout.write('["name",'.repeat(1000), more); })();`;
    expect(await listMicrophones(recorder(code))).toEqual([]);
  });

  it('that lists and fails counts as none', async () => {
    const code = `process.stdout.write('["half'); process.exitCode = 1;`;
    expect(await listMicrophones(recorder(code))).toEqual([]);
  });
});

describe('devicesOf and deviceNumber', () => {
  const devices = devicesOf(['Discard all samples (playback)', 'Built-in', '', 'USB Audio']);

  it("leaves out ALSA's device that hears nothing, and keeps the recorder's numbers", () => {
    expect(devices).toEqual([
      { number: 1, name: 'Built-in' },
      { number: 2, name: 'unnamed' },
      { number: 3, name: 'USB Audio' },
    ]);
  });

  it('finds a device by its number or a part of its name', () => {
    expect(deviceNumber('1', devices)).toBe(1);
    expect(deviceNumber('usb', devices)).toBe(3);
    expect(deviceNumber(undefined, devices)).toBe(-1);
  });

  it('refuses one that is not listed', () => {
    for (const device of ['0', '4', 'webcam']) {
      expect(() => deviceNumber(device, devices)).toThrow('--list-devices');
    }
  });
});

describe('openMicrophone', async () => {
  const devices = await listMicrophones();

  it.skipIf(devices.length > 0)('tells what to do on a machine without a microphone', async () => {
    await expect(openMicrophone({ device: undefined, signal: never })).rejects.toMatchObject({
      message: expect.stringContaining('transcribe - --raw-format'),
    });
  });
});
