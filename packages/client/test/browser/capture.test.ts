import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Capture, type CaptureState, startCapture } from '../../src/browser/capture.js';
import { CAPTURE_LIMITS } from '../../src/browser/limits.js';
import { AudioWorld, type AudioWorldOptions, FakeTrack } from './audio-world.js';

const SILENT = -120;
const LOUD = -10;

let world: AudioWorld;
let states: CaptureState[];
let heard: number;

beforeEach(() => {
  vi.useFakeTimers();
  states = [];
  heard = 0;
});
afterEach(() => {
  world.leave();
  vi.useRealTimers();
});

async function start(
  track: FakeTrack,
  options?: AudioWorldOptions,
  more: readonly FakeTrack[] = [],
  signal: AbortSignal = new AbortController().signal,
): Promise<Capture> {
  world = new AudioWorld(options);
  return await startCapture({
    stream: world.stream(track, ...more),
    workletUrl: '/worklet.js',
    workerUrl: '/worker.js',
    onAudio: (samples) => {
      heard += samples.length;
    },
    onState: (state) => states.push(state),
    signal,
  });
}

describe('a capture', () => {
  it('is live once samples come, and ends everything when it is stopped', async () => {
    const track = new FakeTrack();
    const capture = await start(track);
    expect(capture.state).toBe('starting');
    world.worker.say(LOUD);
    expect(capture.state).toBe('live');
    await capture.stop();
    await capture.stop();
    expect(states).toEqual(['live', 'stopped']);
    expect([track.readyState, world.context.state, world.worker.isTerminated]).toEqual([
      'ended',
      'closed',
      true,
    ]);
    expect(heard).toBe(320);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('opens at the rate of the device', async () => {
    expect((await start(new FakeTrack('audio', 44_100))).sampleRateHz).toBe(44_100);
  });

  it("opens at the browser's own rate where that of the device is refused, as Firefox does", async () => {
    const capture = await start(new FakeTrack('audio', 44_100), { onlyRateHz: 48_000 });
    expect(capture.sampleRateHz).toBe(48_000);
    expect(world.contexts.map(({ state }) => state)).toEqual(['closed', 'running']);
  });

  it('lets go of the device when the browser takes in no rate, or the recorder is not there', async () => {
    const refused = new FakeTrack('audio', 44_100);
    await expect(start(refused, { onlyRateHz: 8_000 })).rejects.toMatchObject({ code: 'unsupported' });
    expect(refused.readyState).toBe('ended');
    const alone = new FakeTrack();
    await expect(start(alone, { isWorkletMissing: true })).rejects.toMatchObject({ code: 'load_failed' });
    expect([alone.readyState, world.context.state]).toEqual(['ended', 'closed']);
  });

  it('lets go of the device at once when it is aborted before it has begun, and never begins', async () => {
    for (const isEarly of [true, false]) {
      const aborter = new AbortController();
      const track = new FakeTrack();
      let load: () => void = () => undefined;
      const worklet = new Promise<void>((resolve) => {
        load = resolve;
      });
      if (isEarly) aborter.abort();
      const starting = start(track, { worklet }, [], aborter.signal);
      aborter.abort('stopped');
      await expect(starting).rejects.toMatchObject({ code: 'aborted' });
      expect([track.readyState, world.context.state]).toEqual(['ended', 'closed']);
      load();
      await worklet;
      expect([world.workers.length, world.nodes.length]).toEqual([0, 0]);
      world.leave();
    }
  });

  it('refuses a stream without sound', async () => {
    await expect(start(new FakeTrack('video'))).rejects.toMatchObject({ code: 'no_audio' });
  });

  it('is lost when the device vanishes, or the picture of a shared tab ends', async () => {
    const microphone = new FakeTrack();
    const first = await start(microphone);
    world.worker.say(LOUD);
    microphone.vanish();
    expect(first.state).toBe('lost');
    world.worker.say(LOUD);
    expect(heard).toBe(320);
    world.leave();
    const picture = new FakeTrack('video');
    const sound = new FakeTrack();
    const second = await start(sound, {}, [picture]);
    picture.vanish();
    expect([second.state, sound.readyState, world.context.state]).toEqual(['lost', 'ended', 'closed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is lost when nothing comes at first, or nothing comes any more', async () => {
    const never = await start(new FakeTrack());
    vi.advanceTimersByTime(CAPTURE_LIMITS.flowTimeoutMs);
    expect(never.state).toBe('lost');
    world.leave();
    const stuck = await start(new FakeTrack());
    for (let turn = 0; turn < 5; turn += 1) {
      world.worker.say(LOUD);
      vi.advanceTimersByTime(CAPTURE_LIMITS.flowTimeoutMs);
      expect(stuck.state).toBe('live');
    }
    vi.advanceTimersByTime(CAPTURE_LIMITS.flowTimeoutMs);
    expect(stuck.state).toBe('lost');
  });

  it('is lost when the recorder or its worker breaks', async () => {
    const first = await start(new FakeTrack());
    world.nodes.at(-1)?.dispatchEvent(new Event('processorerror'));
    expect(first.state).toBe('lost');
    world.leave();
    const second = await start(new FakeTrack());
    world.worker.dispatchEvent(new Event('error'));
    expect(second.state).toBe('lost');
  });

  it('says when only zeros come, but not of its own mute', async () => {
    const track = new FakeTrack();
    const capture = await start(track);
    const zeros = CAPTURE_LIMITS.silentAfterMs / 20;
    for (let count = 0; count < zeros; count += 1) world.worker.say(SILENT);
    expect(capture.state).toBe('silent');
    world.worker.say(LOUD);
    expect(capture.state).toBe('live');
    capture.isMuted = true;
    expect(track.enabled).toBe(false);
    for (let count = 0; count < zeros * 2; count += 1) world.worker.say(SILENT);
    expect(capture.state).toBe('live');
    capture.isMuted = false;
    expect(track.enabled).toBe(true);
  });

  it('waits while a call interrupts it, however long, and goes on afterwards', async () => {
    const capture = await start(new FakeTrack());
    world.worker.say(LOUD);
    world.context.become('interrupted');
    // Asked now, WebKit would stop its clock for good.
    expect([capture.state, world.context.resumed]).toEqual(['suspended', 0]);
    world.worker.say(LOUD);
    expect(capture.state).toBe('suspended');
    vi.advanceTimersByTime(CAPTURE_LIMITS.flowTimeoutMs * 10);
    world.document.dispatchEvent(new Event('visibilitychange'));
    expect([capture.state, world.context.resumed]).toEqual(['suspended', 0]);
    world.context.become('suspended');
    expect(world.context.resumed).toBe(1);
    world.document.dispatchEvent(new Event('visibilitychange'));
    expect(world.context.resumed).toBe(2);
    await capture.resume();
    expect(world.context.resumed).toBe(3);
    world.context.become('running');
    expect(capture.state).toBe('starting');
    world.worker.say(LOUD);
    expect(capture.state).toBe('live');
    expect(states).toEqual(['live', 'suspended', 'starting', 'live']);
  });

  it('is lost when it runs again and its clock stands still', async () => {
    const capture = await start(new FakeTrack());
    world.worker.say(LOUD);
    world.context.become('interrupted');
    world.context.become('running');
    vi.advanceTimersByTime(CAPTURE_LIMITS.flowTimeoutMs);
    expect(capture.state).toBe('lost');
    await capture.resume();
    expect(world.context.resumed).toBe(0);
  });
});
