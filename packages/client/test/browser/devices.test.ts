import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  canShareTabAudio,
  listMicrophones,
  openMicrophone,
  openTabAudio,
  watchMicrophones,
} from '../../src/browser/devices.js';
import { AudioWorld, FakeTrack } from './audio-world.js';

afterEach(() => vi.unstubAllGlobals());

/** A browser whose devices are these. */
function browse(mediaDevices: object | undefined, isSecureContext = true): void {
  vi.stubGlobal('isSecureContext', isSecureContext);
  vi.stubGlobal('navigator', { mediaDevices });
}

function failure(name: string): Error {
  return Object.assign(new Error('no'), { name });
}

describe('a microphone', () => {
  it.each([
    ['NotAllowedError', 'permission_denied'],
    ['SecurityError', 'permission_denied'],
    ['NotFoundError', 'no_device'],
    ['OverconstrainedError', 'no_device'],
    ['NotReadableError', 'device_busy'],
    ['AbortError', 'device_busy'],
    ['TypeError', 'unsupported'],
  ])('is refused by %s as %s', async (name, code) => {
    browse({ getUserMedia: () => Promise.reject(failure(name)) });
    await expect(openMicrophone()).rejects.toMatchObject({ name: 'CaptureError', code });
  });

  it('is not there over http, and where the browser has none', async () => {
    browse({ getUserMedia: () => undefined }, false);
    await expect(openMicrophone()).rejects.toMatchObject({ code: 'insecure_context' });
    browse(undefined);
    await expect(openMicrophone()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(listMicrophones()).rejects.toMatchObject({ code: 'unsupported' });
    watchMicrophones(() => undefined)();
  });

  it('is opened as it was asked for, without the filters of calls but for the gain', async () => {
    const asked: unknown[] = [];
    const getUserMedia = async (constraints: unknown): Promise<undefined> => void asked.push(constraints);
    browse({ getUserMedia });
    await openMicrophone();
    await openMicrophone({
      deviceId: 'usb',
      noiseSuppression: true,
      echoCancellation: true,
      autoGainControl: false,
    });
    expect(asked).toEqual([
      { audio: { noiseSuppression: false, echoCancellation: false, autoGainControl: true } },
      {
        audio: {
          noiseSuppression: true,
          echoCancellation: true,
          autoGainControl: false,
          deviceId: { exact: 'usb' },
        },
      },
    ]);
  });

  it('is listed by name once one was allowed, and watched as devices come and go', async () => {
    const devices = Object.assign(new EventTarget(), {
      getUserMedia: () => undefined,
      enumerateDevices: async () => [
        { kind: 'audioinput', deviceId: '', label: '' },
        { kind: 'videoinput', deviceId: 'eye', label: 'Camera' },
        { kind: 'audioinput', deviceId: 'usb', label: 'Headset' },
      ],
    });
    browse(devices);
    expect(await listMicrophones()).toEqual([{ id: 'usb', label: 'Headset' }]);
    let changes = 0;
    const end = watchMicrophones(() => {
      changes += 1;
    });
    devices.dispatchEvent(new Event('devicechange'));
    end();
    devices.dispatchEvent(new Event('devicechange'));
    expect(changes).toBe(1);
  });
});

const getSupportedConstraints = (): object => ({ suppressLocalAudioPlayback: true });

describe('the sound of a tab', () => {
  it('is not offered by browsers that share pictures alone', () => {
    browse({ getDisplayMedia: () => undefined, getSupportedConstraints: () => ({ width: true }) });
    expect(canShareTabAudio()).toBe(false);
    browse(undefined);
    expect(canShareTabAudio()).toBe(false);
    browse({ getDisplayMedia: () => undefined, getSupportedConstraints });
    expect(canShareTabAudio()).toBe(true);
  });

  it('is refused where browsers share none, and where it was shared without sound', async () => {
    browse({ getUserMedia: () => undefined });
    await expect(openTabAudio()).rejects.toMatchObject({ code: 'unsupported' });
    const world = new AudioWorld();
    const picture = new FakeTrack('video');
    browse({
      getUserMedia: () => undefined,
      getSupportedConstraints,
      getDisplayMedia: async () => world.stream(picture),
    });
    await expect(openTabAudio()).rejects.toMatchObject({ code: 'no_audio' });
    expect(picture.readyState).toBe('ended');
    browse({
      getUserMedia: () => undefined,
      getSupportedConstraints,
      getDisplayMedia: () => Promise.reject(failure('NotAllowedError')),
    });
    await expect(openTabAudio()).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('comes with its picture, which ends with it', async () => {
    const world = new AudioWorld();
    const tracks = [new FakeTrack('video'), new FakeTrack()];
    browse({
      getUserMedia: () => undefined,
      getSupportedConstraints,
      getDisplayMedia: async () => world.stream(...tracks),
    });
    expect((await openTabAudio()).getTracks()).toEqual(tracks);
    expect(tracks.map(({ readyState }) => readyState)).toEqual(['live', 'live']);
  });
});
