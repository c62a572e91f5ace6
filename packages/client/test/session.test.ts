import { describe, expect, it } from 'vitest';
import { connect } from '../src/index.js';
import { fakeServer, frames, textOf } from './fake-server.js';

describe('a session', () => {
  it('names the model, starts the utterance before its audio, and sends exactly one final', async () => {
    const server = fakeServer();
    const session = await connect({ connect: server.connect, model: 'm' });
    for (let index = 0; index < 3; index += 1) await session.send(frames(index, 1));
    const transcript = await session.finish();
    expect(session.id).toBe('sess-fake');
    expect(transcript.text).toBe('0 1 2');
    const { log } = await server.visit();
    expect(log).toEqual([
      '{"type":"session.update","model":"m"}',
      'commit',
      'append 0',
      'append 1',
      'append 2',
      'final',
      'done',
    ]);
    expect(textOf(0, 3)).toBe(' 0 1 2');
  });
});
