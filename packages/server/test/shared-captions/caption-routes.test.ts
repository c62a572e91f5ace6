import { request } from 'node:http';
import { ManualClock } from '@kikitori/core/manual-clock';
import { describe, expect, it } from 'vitest';
import { CAPTIONS_LIMITS } from '../../src/limits.js';
import { eventually, startTestServer } from '../test-server.js';
import { bearer, JSON_TYPE, openShare, post, publish, say, WireReader } from './caption-client.js';

const NOBODY = 'A'.repeat(43);

describe('sharing captions', () => {
  it('tells a reader how things stand and then what changes, in order', async () => {
    await using test = await startTestServer();
    const share = await openShare(test, { language: 'en' });
    await publish(test, share, { utterances: [say(0, 'Good morning.')] });
    const reader = await WireReader.open(test, share);
    expect(reader.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(reader.response.headers.get('cache-control')).toBe('no-store');
    expect(await reader.next()).toEqual({
      event: 'snapshot',
      data: {
        session: 's1',
        language: 'en',
        utterances: [say(0, 'Good morning.')],
        live: { stable: '', unstable: '' },
        speaker: 'live',
      },
    });
    const live = { stable: 'The ferry', unstable: 'leaves' };
    const answer = await publish(test, share, { live });
    expect(await answer.json()).toEqual({ next_number: 1, readers: 1 });
    expect(await reader.next()).toEqual({ event: 'update', data: { utterances: [], live } });
    const silence = { stable: '', unstable: '' };
    await publish(test, share, { utterances: [say(1, 'The ferry leaves.')], live: silence });
    expect(await reader.next()).toEqual({
      event: 'update',
      data: { utterances: [say(1, 'The ferry leaves.')], live: silence },
    });
    expect((await post(test, 'end', {}, bearer(share.publisher))).status).toBe(204);
    expect(await reader.next()).toEqual({ event: 'closed', data: {} });
    expect(await reader.next()).toBeUndefined();
  });

  it('keeps a connection of a publisher open from one update to the next', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    expect((await publish(test, share, {})).headers.get('connection')).toBe('keep-alive');
    const unread = await post(test, 'updates', '{}', {
      'content-type': 'text/plain',
      ...bearer(share.publisher),
    });
    expect([unread.status, unread.headers.get('connection')]).toEqual([415, 'close']);
  });

  it('gives the same link to a publisher that comes back with its secret, to a fresh server as well', async () => {
    await using first = await startTestServer();
    const share = await openShare(first);
    await using second = await startTestServer();
    const again = await openShare(second, { publisher_secret: share.publisher });
    expect(again).toEqual(share);
    expect(await (await publish(second, share, { utterances: [say(7, 'Seven.')] })).json()).toMatchObject({
      next_number: 8,
    });
  });

  it('lets no reader publish and no publisher read with the wrong one of the two secrets', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    const swapped = { publisher: share.reader, reader: share.publisher };
    expect((await publish(test, swapped, {})).status).toBe(404);
    expect((await WireReader.open(test, swapped)).response.status).toBe(404);
  });

  it('judges the secret before it reads what was sent', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    const long = 'x'.repeat(2 * CAPTIONS_LIMITS.bodyBytesMax);
    for (const body of ['no JSON', '{}', JSON.stringify({ session: 1 }), long]) {
      const wrong = await post(test, 'updates', body, { ...JSON_TYPE, ...bearer(NOBODY) });
      expect([wrong.status, await wrong.text()]).toEqual([404, expect.stringContaining('Nothing is shared')]);
    }
    const right = await post(test, 'updates', 'no JSON', { ...JSON_TYPE, ...bearer(share.publisher) });
    expect(right.status).toBe(400);
  });

  it('takes no update of a share that ended while it came', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    const sent = request(`${test.url}/v1/captions/updates`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...bearer(share.publisher), 'content-length': 2 },
    });
    const answered = new Promise<number>((resolve, reject) => {
      sent.once('error', reject).once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
    });
    sent.write('{');
    expect((await post(test, 'end', {}, bearer(share.publisher))).status).toBe(204);
    sent.end('}');
    expect(await answered).toBe(404);
  });

  it('answers whoever has no secret, a wrong one or none at all, alike', async () => {
    await using test = await startTestServer();
    await openShare(test);
    for (const authorization of [
      `Bearer ${NOBODY}`,
      'Bearer x',
      'Bearer ',
      '',
      'Basic x',
      `Bearer ${'é'.repeat(43)}`,
    ]) {
      const answer = await fetch(`${test.url}/v1/captions`, { headers: { authorization } });
      expect([answer.status, (await answer.json()).error.type], authorization).toEqual([
        404,
        'NotFoundError',
      ]);
    }
    expect((await fetch(`${test.url}/v1/captions`)).status).toBe(404);
    expect((await post(test, 'updates', { session: 's1' })).status).toBe(404);
    expect((await post(test, 'end', {}, bearer(NOBODY))).status).toBe(204);
    expect(await test.metric('kikitori_caption_refused_total{reason="unknown"}')).toBe(8);
  });

  it('is opened with the API key alone; reading needs none', async () => {
    await using test = await startTestServer({ server: { apiKey: 'secret' } });
    expect((await post(test, 'shares', { session: 's1' })).status).toBe(401);
    const answer = await post(test, 'shares', { session: 's1' }, bearer('secret'));
    const { reader_secret: reader, publisher_secret: publisher } = await answer.json();
    const share = { reader, publisher };
    expect((await publish(test, share, { utterances: [say(0, 'Hello.')] })).status).toBe(200);
    const wire = await WireReader.open(test, share);
    expect((await wire.next())?.data.utterances).toEqual([say(0, 'Hello.')]);
    wire.leave();
  });

  it('refuses a body that is not JSON, is too large, or is sent as another page could send it', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    const { bodyBytesMax } = CAPTIONS_LIMITS;
    const own = bearer(share.publisher);
    for (const [body, headers, status] of [
      ['{', own, 400],
      ['[]', own, 400],
      ['"\\', own, 400],
      [' '.repeat(bodyBytesMax + 1), own, 413],
      ['{}', { ...own, 'content-type': 'text/plain' }, 415],
    ] as const) {
      expect((await post(test, 'updates', body, headers)).status, body.slice(0, 9)).toBe(status);
    }
    const padded = `{"session":"s1"${' '.repeat(bodyBytesMax - 16)}}`;
    expect((await post(test, 'updates', padded, own)).status).toBe(200);
    const bytes = Buffer.from([0x22, 0xff, 0x22]);
    const answer = await fetch(`${test.url}/v1/captions/updates`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...own },
      body: bytes,
    });
    expect(answer.status).toBe(400);
  });

  it('names the member that is wrong', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    const { utteranceCharsMax, liveCharsMax, utterancesMax } = CAPTIONS_LIMITS;
    const cases: [object, string][] = [
      [{ session: 'a b' }, 'session'],
      [{ session: 7 }, 'session'],
      [{ utterances: {} }, 'utterances'],
      [{ utterances: Array(utterancesMax + 1).fill(0) }, 'utterances'],
      [{ utterances: [null] }, 'utterances'],
      [{ speaker: 'asleep' }, 'speaker'],
      [{ speaker: null }, 'speaker'],
      [{ utterances: [{ ...say(0, 'x'), number: -1 }] }, 'number'],
      [{ utterances: [{ ...say(0, 'x'), number: 0.5 }] }, 'number'],
      [{ utterances: [{ ...say(0, 'x'), start_ms: 901 }] }, 'end_ms'],
      [{ utterances: [{ ...say(0, 'x'), end_ms: 1e300 }] }, 'end_ms'],
      [{ utterances: [say(0, 'x'.repeat(utteranceCharsMax + 1))] }, 'text'],
      [{ live: [] }, 'live'],
      [{ live: { stable: 'x'.repeat(liveCharsMax + 1) } }, 'stable'],
      [{ live: { unstable: 7 } }, 'unstable'],
      ...['\n', '\0', '\u007f', '\u0085', '\u2028', '\u202e', '\u2066', '\ud800', '\udc00x', '\uffff'].map(
        (bad): [object, string] => [{ utterances: [say(0, `a${bad}`)] }, 'text'],
      ),
    ];
    for (const [update, member] of cases) {
      const answer = await publish(test, share, update);
      expect([answer.status, (await answer.json()).error.param], JSON.stringify(update).slice(0, 80)).toEqual(
        [400, member],
      );
    }
    const fine = ['x'.repeat(utteranceCharsMax), '聞き取り 🎉 e\u0301', 'שלום \u200f', ''];
    const answer = await publish(test, share, { utterances: fine.map((text, at) => say(at, text)) });
    expect(await answer.json()).toMatchObject({ next_number: fine.length });
    for (const wish of [
      { publisher_secret: 'short' },
      { publisher_secret: `${'A'.repeat(42)}=` },
      { language: 'a' },
      { language: 'en<' },
      { session: undefined },
    ]) {
      expect((await post(test, 'shares', { session: 's1', ...wish })).status, JSON.stringify(wish)).toBe(400);
    }
  });

  it('leaves the link to the one who opened it last', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    await publish(test, share, { utterances: [say(0, 'Mine.')] });
    const reader = await WireReader.open(test, share);
    expect((await reader.next())?.data.utterances).toHaveLength(1);
    await openShare(test, { publisher_secret: share.publisher, session: 's2' });
    expect(await reader.next()).toMatchObject({
      event: 'snapshot',
      data: { session: 's2', utterances: [] },
    });
    expect((await publish(test, share, { utterances: [say(1, 'Still mine?')] })).status).toBe(409);
    reader.leave();
  });

  it('cuts a body that does not arrive', async () => {
    const clock = new ManualClock();
    await using test = await startTestServer({ server: { clock } });
    const status = new Promise((resolve, reject) => {
      const sent = request(
        {
          port: test.server.port,
          path: '/v1/captions/shares',
          method: 'POST',
          headers: { ...JSON_TYPE, 'content-length': '10' },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.on('error', reject);
      sent.write('{');
    });
    await eventually(() => clock.pending > 0);
    clock.advance(CAPTIONS_LIMITS.bodyMs);
    expect(await status).toBe(408);
  });

  it('lets a reader that left go', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    const reader = await WireReader.open(test, share);
    await reader.next();
    expect(await test.metric('kikitori_caption_readers')).toBe(1);
    expect(await test.metric('kikitori_caption_shares')).toBe(1);
    reader.leave();
    await eventually(async () => (await test.metric('kikitori_caption_readers')) === 0);
    await post(test, 'end', {}, bearer(share.publisher));
    expect(await test.metric('kikitori_caption_shares')).toBe(0);
  });

  it('ends with the server, in order, without a word to the readers that nobody shares any more', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    const reader = await WireReader.open(test, share);
    await reader.next();
    await test.server.drain();
    expect(await reader.next()).toBeUndefined();
  });

  it('says nothing of what was said, and no secret, in the log and the metrics', async () => {
    await using test = await startTestServer();
    const share = await openShare(test);
    await publish(test, share, { utterances: [say(0, 'Confidential.')], live: { stable: 'Confidential' } });
    await publish(test, share, { utterances: [say(1, 'Confidential\n')] });
    const reader = await WireReader.open(test, share);
    await reader.next();
    reader.leave();
    const told = JSON.stringify(test.log) + (await (await fetch(`${test.url}/metrics`)).text());
    for (const secret of ['onfidential', share.reader, share.publisher]) expect(told).not.toContain(secret);
  });
});
