/** What comes over TCP: events of Home Assistant's protocol, cut anywhere and damaged. */
import { eventFrame } from '../../../packages/server/src/wyoming/event-frame.js';
import {
  BrokenFrameError,
  EventReader,
  type WyomingEvent,
} from '../../../packages/server/src/wyoming/event-reader.js';
import { cutAnywhere, joined, mutated } from '../mutation.js';
import type { Random } from '../random.js';
import { type FuzzTarget, insist, pure } from '../target.js';

const LIMITS = { headerBytesMax: 2_048, dataBytesMax: 1_024, payloadBytesMax: 512 };
const SPEECH = { rate: 16_000, width: 2, channels: 1, timestamp: null };

function chunk(random: Random): Uint8Array {
  const payload = random.bytes(random.pick([0, 1, 64, 511, 512]));
  const header = { type: 'audio-chunk', data: SPEECH, payload_length: payload.length };
  return joined([Buffer.from(`${JSON.stringify(header)}\n`), payload]);
}

function call(random: Random): Uint8Array {
  return joined([
    random.chance(0.5) ? eventFrame('describe') : eventFrame('ping', { text: 'é' }),
    eventFrame('transcribe', { language: 'en', name: 'constructor' }),
    eventFrame('audio-start', SPEECH),
    chunk(random),
    chunk(random),
    eventFrame('audio-stop'),
  ]);
}

/** The events that were read, and whether the rest could not be. */
function readAll(pieces: readonly Uint8Array[]): { events: WyomingEvent[]; isBroken: boolean } {
  const reader = new EventReader(LIMITS);
  const events: WyomingEvent[] = [];
  try {
    for (const piece of pieces) for (const event of reader.push(piece)) events.push(event);
    return { events, isBroken: false };
  } catch (error) {
    insist(error instanceof BrokenFrameError, 'Another error than that of a broken frame.');
    insist(error.message.length < 100, 'An error repeats what was sent.');
    return { events, isBroken: true };
  }
}

function cut(random: Random): void {
  const whole = random.chance(0.2) ? call(random) : mutated(call(random), random);
  const atOnce = readAll([whole]);
  const inPieces = readAll(cutAnywhere(whole, random));
  insist(JSON.stringify(atOnce) === JSON.stringify(inPieces), 'How it is cut changes what is read.');
  for (const { payload } of atOnce.events) {
    insist(payload.length <= LIMITS.payloadBytesMax, 'A payload above its bound.');
  }
}

export const WYOMING_TARGETS: readonly FuzzTarget[] = [{ name: 'wyoming', attacks: 10_000, open: pure(cut) }];
