import { describe, expect, it } from 'vitest';
import { WyomingConversation } from '../../src/dialects/wyoming/conversation.js';
import type { SessionInput } from '../../src/session/state.js';

const SPEECH = { rate: 16_000, width: 2, channels: 1 };

function heard(inputs: readonly SessionInput[]): number[] {
  return inputs.flatMap((input) => (input.type === 'append' ? [...input.pcm] : []));
}

/** The audio that the session gets of chunks. */
function hear(...chunks: readonly (readonly [object, readonly number[]])[]): number[] {
  const conversation = new WyomingConversation();
  return chunks.flatMap(([data, bytes]) => {
    conversation.read(JSON.stringify({ type: 'audio-chunk', data }));
    return heard(conversation.read(Uint8Array.from(bytes)));
  });
}

describe('WyomingConversation', () => {
  it('joins samples that are cut between chunks', () => {
    expect(hear([SPEECH, [1, 2, 3]], [{ ...SPEECH, timestamp: 20 }, [4]])).toEqual([1, 2, 3, 4]);
  });

  it('hears each chunk as it says it is', () => {
    const bytes = [0, 0, 0, 64];
    expect(hear([{ ...SPEECH, width: 4 }, bytes], [SPEECH, bytes])).toEqual([0, 64, 0, 0, 0, 64]);
  });

  it('mixes channels', () => {
    expect(hear([{ ...SPEECH, channels: 2 }, [0, 32, 0, 64]])).toEqual([0, 48]);
  });

  it('hears no payload but that of audio', () => {
    const conversation = new WyomingConversation();
    conversation.read('{"type":"played"}');
    expect(conversation.read(Uint8Array.from([1, 2]))).toEqual([]);
  });

  it('refuses a chunk that holds more than one may', () => {
    const conversation = new WyomingConversation();
    conversation.read(JSON.stringify({ type: 'audio-chunk', data: { ...SPEECH, rate: 1_000, width: 1 } }));
    expect(conversation.read(new Uint8Array(2_000_000))).toMatchObject([{ type: 'invalid' }]);
  });

  it('asks for the model and the language that are named', () => {
    const conversation = new WyomingConversation();
    const message = '{"type":"transcribe","data":{"name":"tiny","language":"ja"}}';
    expect(conversation.read(message)).toEqual([{ type: 'configure', model: 'tiny', language: 'ja' }]);
  });
});
