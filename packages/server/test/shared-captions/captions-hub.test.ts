import { ManualClock } from '@kikitori/core/manual-clock';
import type { SpeakerState } from '@kikitori/protocol/shared-captions';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { CAPTIONS_LIMITS, type CaptionsLimits } from '../../src/limits.js';
import { captionMetrics } from '../../src/shared-captions/caption-metrics.js';
import type { CaptionSink } from '../../src/shared-captions/caption-reader.js';
import type { CaptionShare } from '../../src/shared-captions/caption-share.js';
import { CaptionsHub, type Subscription } from '../../src/shared-captions/captions-hub.js';
import { newPublisherSecret, readerSecretOf } from '../../src/shared-captions/share-secret.js';

const SECRET = newPublisherSecret();
const SILENCE = { stable: '', unstable: '' };

/** A reader's line: takes so many frames, then needs to drain. Keeps the text that the frames add up to. */
class Line implements CaptionSink {
  readonly frames: string[] = [];
  isEnded = false;
  isDestroyed = false;
  room = Number.POSITIVE_INFINITY;
  session = '';
  readonly texts = new Map<number, string>();
  live = SILENCE;
  readonly speaker: string[] = [];
  subscription: Subscription | undefined;

  write(frame: string): boolean {
    this.frames.push(frame);
    this.#read(frame);
    this.room -= 1;
    return this.room > 0;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  drain(): void {
    this.room = Number.POSITIVE_INFINITY;
    this.subscription?.drained();
  }

  get text(): string[] {
    return [...this.texts].sort(([a], [b]) => a - b).map(([number, text]) => `${number} ${text}`);
  }

  #read(frame: string): void {
    const [, event, data = '{}'] = /^event: (\w+)\ndata: (.*)\n\n$/.exec(frame) ?? [];
    if (event === undefined || event === 'closed') return;
    const { session, utterances, live, speaker } = JSON.parse(data);
    if (event === 'snapshot') {
      this.texts.clear();
      this.session = session;
    }
    for (const { number, text } of utterances) this.texts.set(number, text);
    if (live !== undefined) this.live = live;
    if (speaker !== undefined) this.speaker.push(speaker);
  }
}

let clock = new ManualClock();
beforeEach(() => {
  clock = new ManualClock();
});

function hubWith(limits: Partial<CaptionsLimits> = {}): CaptionsHub {
  return new CaptionsHub({
    clock,
    limits: { ...CAPTIONS_LIMITS, updatesPerSMax: 1e9, ...limits },
    metrics: captionMetrics([new Registry()]),
  });
}

function open(hub: CaptionsHub, { secret = SECRET, session = 's', owner = 'me' } = {}): CaptionShare {
  const share = hub.open({ publisherSecret: secret, session, language: undefined, owner });
  if (share === 'shares_full') throw new Error(share);
  return share;
}

function read(hub: CaptionsHub, secret = SECRET): Line {
  const line = new Line();
  const subscription = hub.subscribe(readerSecretOf(secret), line);
  if (typeof subscription === 'string') throw new Error(subscription);
  line.subscription = subscription;
  return line;
}

const utterance = (number: number, text = `utterance ${number}`) => ({
  number,
  text,
  startMs: number,
  endMs: number,
});
const say = (share: CaptionShare, ...utterances: ReturnType<typeof utterance>[]) =>
  share.update({ session: 's', utterances, live: undefined });

describe('a share', () => {
  it('takes utterances in order, once, and asks for what is missing', () => {
    const hub = hubWith();
    const share = open(hub);
    const line = read(hub);
    expect(say(share, utterance(3), utterance(4))).toEqual({ nextNumber: 5 });
    expect(say(share, utterance(3), utterance(4))).toEqual({ nextNumber: 5 });
    const gap = { session: 's', utterances: [utterance(7)], live: { stable: 'behind', unstable: '' } };
    expect(share.update(gap)).toEqual({ nextNumber: 5 });
    expect(line.text).toEqual(['3 utterance 3', '4 utterance 4']);
    expect([line.live, line.frames.length]).toEqual([SILENCE, 2]);
  });

  it('replaces an utterance that is said with another text', () => {
    const hub = hubWith();
    const share = open(hub);
    const line = read(hub);
    say(share, utterance(0), utterance(1));
    say(share, utterance(0, 'mended'));
    expect(line.text).toEqual(['0 mended', '1 utterance 1']);
    expect(read(hub).text).toEqual(line.text);
  });

  it.each([
    ['utterances', { utterancesMax: 3 }],
    ['characters', { transcriptCharsMax: 'utterance 7utterance 8utterance 9'.length }],
  ])('keeps the newest within its bound of %s', (_name, limits) => {
    const hub = hubWith(limits);
    const share = open(hub);
    for (let number = 0; number < 10; number += 1) say(share, utterance(number));
    expect(read(hub).text).toEqual(['7 utterance 7', '8 utterance 8', '9 utterance 9']);
    // What was forgotten stays forgotten.
    expect(say(share, utterance(2, 'old'))).toEqual({ nextNumber: 10 });
    expect(read(hub).text).toHaveLength(3);
  });

  it('tells how the speaker stands: once for each change, and whoever comes late', () => {
    const hub = hubWith();
    const share = open(hub);
    const line = read(hub);
    const tell = (speaker: SpeakerState) =>
      share.update({ session: 's', utterances: [], live: undefined, speaker });
    for (const state of ['waiting', 'live', 'live', 'paused', 'live', 'ended'] as const) tell(state);
    expect(line.speaker).toEqual(['waiting', 'live', 'paused', 'live', 'ended']);
    expect(read(hub).speaker).toEqual(['ended']);
    open(hub, { session: 's2' });
    expect(line.speaker.at(-1)).toBe('waiting');
  });

  it('takes a speaker who does not say it for live from the first word on', () => {
    const hub = hubWith();
    const share = open(hub);
    const line = read(hub);
    say(share);
    say(share, utterance(0));
    say(share, utterance(0));
    expect(line.speaker).toEqual(['waiting', 'live']);
  });

  it('says that a live speaker has paused when nothing is heard any more, and goes on with the next update', () => {
    const hub = hubWith({ awayMs: 1_000 });
    const share = open(hub);
    const line = read(hub);
    say(share, utterance(0));
    clock.advance(999);
    say(share);
    clock.advance(999);
    expect(line.speaker).toEqual(['waiting', 'live']);
    clock.advance(1);
    expect(read(hub).speaker).toEqual(['paused']);
    open(hub);
    expect(line.speaker).toEqual(['waiting', 'live', 'paused', 'live']);
    share.update({ session: 's', utterances: [], live: undefined, speaker: 'ended' });
    clock.advance(1_000);
    expect(line.speaker.at(-1)).toBe('ended');
  });

  it('ends when nobody speaks for too long, when it is too old, and not before', () => {
    const hub = hubWith({ idleMs: 1000, shareMsMax: 2500 });
    const share = open(hub);
    const line = read(hub);
    clock.advance(999);
    say(share, utterance(0));
    clock.advance(999);
    expect(line.isEnded).toBe(false);
    clock.advance(1);
    expect([line.isEnded, line.frames.at(-1)]).toEqual([true, 'event: closed\ndata: {}\n\n']);
    expect(hub.published(SECRET)).toBeUndefined();
    const second = open(hub);
    for (let at = 0; at < 5; at += 1) {
      expect(hub.published(SECRET)).toBe(second);
      clock.advance(500);
      second.update({ session: 's', utterances: [], live: undefined });
    }
    expect(hub.published(SECRET)).toBeUndefined();
  });

  it('refuses updates that come too fast, and takes them again later', () => {
    const hub = hubWith({ updatesPerSMax: 2 });
    const share = open(hub);
    const update = () => share.update({ session: 's', utterances: [], live: undefined });
    expect([1, 2, 3, 4].map(update)).not.toContain('too_fast');
    expect(update()).toBe('too_fast');
    clock.advance(500);
    expect([update(), update()]).toEqual([{ nextNumber: null }, 'too_fast']);
  });

  it('leaves no timer behind', () => {
    const hub = hubWith();
    const share = open(hub);
    const line = read(hub);
    line.room = 0;
    say(share, utterance(0));
    hub.close();
    expect(clock.pending).toBe(0);
    expect(line.isDestroyed).toBe(true);
    expect(hub.open({ publisherSecret: SECRET, session: 's', language: undefined, owner: 'me' })).toBe(
      'shares_full',
    );
  });
});

describe('a reader', () => {
  it('that is slow is held to one frame, and gets a snapshot once it reads again', () => {
    const hub = hubWith();
    const share = open(hub);
    const slow = read(hub);
    slow.room = 1;
    for (let number = 0; number < 100; number += 1) say(share, utterance(number));
    expect(slow.frames).toHaveLength(2);
    slow.drain();
    expect(slow.frames).toHaveLength(3);
    expect(slow.frames.at(-1)).toContain('event: snapshot');
    expect(slow.text).toHaveLength(100);
    say(share, utterance(100));
    expect(slow.frames.at(-1)).toContain('event: update');
  });

  it('that drained without having missed anything gets nothing twice', () => {
    const hub = hubWith();
    const share = open(hub);
    const line = read(hub);
    line.room = 1;
    say(share, utterance(0));
    line.drain();
    expect(line.frames).toHaveLength(2);
  });

  it('that takes nothing at all is cut, and only that one', () => {
    const hub = hubWith({ readerStallMs: 1000 });
    const share = open(hub);
    const [stuck, fine] = [read(hub), read(hub)];
    stuck.room = 1;
    say(share, utterance(0));
    clock.advance(999);
    expect(stuck.isDestroyed).toBe(false);
    clock.advance(1);
    expect([stuck.isDestroyed, fine.isDestroyed]).toEqual([true, false]);
    say(share, utterance(1));
    expect([stuck.frames.length, fine.text.length]).toEqual([2, 2]);
  });

  it('hears a sign of life while nothing is said, as long as it is there', () => {
    const hub = hubWith({ heartbeatMs: 100 });
    open(hub);
    const line = read(hub);
    clock.advance(250);
    expect(line.frames.slice(1)).toEqual([':\n\n', ':\n\n']);
    line.subscription?.leave();
    line.subscription?.leave();
    clock.advance(250);
    expect(line.frames).toHaveLength(3);
  });

  it('and a share are refused above every bound, and let in again when there is room', () => {
    const hub = hubWith({ sharesMax: 3, sharesPerOwnerMax: 2, readersMax: 3, readersPerShareMax: 2 });
    const secrets = Array.from({ length: 4 }, newPublisherSecret);
    const [first = '', second = '', third = '', fourth = ''] = secrets;
    const share = open(hub, { secret: first });
    open(hub, { secret: second });
    expect(() => open(hub, { secret: third })).toThrow('shares_full');
    expect(open(hub, { secret: first })).toBe(share);
    open(hub, { secret: third, owner: 'you' });
    expect(() => open(hub, { secret: fourth, owner: 'they' })).toThrow('shares_full');
    const line = read(hub, first);
    read(hub, first);
    expect(() => read(hub, first)).toThrow('readers_full');
    read(hub, second);
    expect(() => read(hub, third)).toThrow('readers_full');
    line.subscription?.leave();
    read(hub, third);
    hub.end(share);
    open(hub, { secret: fourth, owner: 'they' });
  });

  it('with any other secret finds nothing', () => {
    const hub = hubWith();
    open(hub);
    fc.assert(
      fc.property(fc.string(), (secret) => {
        expect(hub.subscribe(secret, new Line())).toBe('unknown');
        expect(hub.published(secret)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

type Step =
  | { readonly what: 'utter'; readonly text: string }
  | { readonly what: 'speak'; readonly text: string }
  | { readonly what: 'publish'; readonly from: number }
  | { readonly what: 'join' }
  | { readonly what: 'leave' | 'clog' | 'drain'; readonly who: number }
  | { readonly what: 'restart' };

const text = fc.string({ maxLength: 8 });
const who = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('utter' as const), text }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('speak' as const), text }) },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('publish' as const), from: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('join' as const) }) },
  fc.record({ what: fc.constantFrom('leave' as const, 'clog' as const, 'drain' as const), who }),
  fc.record({ what: fc.constant('restart' as const) }),
);

describe('whatever happens in whatever order', () => {
  it('every reader ends with the text of the speaker', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let hub = hubWith();
        let share = open(hub);
        let lines: Line[] = [];
        const spoken: string[] = [];
        let live = SILENCE;
        /** As a publisher does: what the server lacks, and some of what it has. */
        const publish = (back: number): void => {
          const from = Math.max(0, (share.nextNumber ?? 0) - back);
          const utterances = spoken.map((each, number) => utterance(number, each)).slice(from);
          share.update({ session: 's', utterances, live });
        };
        for (const each of steps) {
          const line = 'who' in each ? lines[each.who] : undefined;
          if (each.what === 'utter') {
            spoken.push(each.text);
            live = SILENCE;
          } else if (each.what === 'speak') live = { stable: each.text, unstable: '' };
          else if (each.what === 'publish') publish(each.from);
          else if (each.what === 'join') lines.push(read(hub));
          else if (each.what === 'clog' && line !== undefined) line.room = 1;
          else if (each.what === 'drain') line?.drain();
          else if (each.what === 'leave' && line !== undefined) {
            line.subscription?.leave();
            lines = lines.filter((other) => other !== line);
          } else if (each.what === 'restart') {
            hub.close();
            hub = hubWith();
            share = open(hub);
            lines = lines.map(() => read(hub));
          }
        }
        publish(0);
        for (const line of lines) line.drain();
        for (const line of [...lines, read(hub)]) {
          expect(line.text).toEqual(spoken.map((each, number) => `${number} ${each}`));
          expect(line.live).toEqual(live);
        }
        hub.close();
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
