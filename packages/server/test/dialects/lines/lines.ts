import { decodeMuLaw, float32ToPcm16, int16ToFloat32, Resampler, SPEECH_RATE_HZ } from '@kikitori/audio';
import type { Message } from '@kikitori/transport';
import type { Conversation, Dialect } from '../../../src/dialects/dialect.js';
import { credentialOf } from '../../../src/doors/credentials.js';
import type { Input, Notice } from '../../../src/session/state.js';

const TELEPHONE_RATE_HZ = 8_000;

/**
 * A dialect as small as one can be, and as unlike vLLM's: G.711 μ-law of 8 kHz in binary messages, `stop` ends an
 * utterance, and what is said comes as lines of text. It shows what adding a dialect takes: this folder, and one line
 * in a list.
 */
export const lines: Dialect = {
  name: 'lines',
  claims: ({ path }) => path === '/lines',
  greet: ({ headers }) => ({
    credential: credentialOf({ authorization: headers['authorization'] }),
    protocol: undefined,
  }),
  refuse: ({ message }) => ({ headers: { 'content-type': 'text/plain' }, body: message }),
  converse: () => new LinesConversation(),
};

class LinesConversation implements Conversation {
  /** One for the whole connection: a message need not hold whole periods of anything. */
  readonly #resampler = new Resampler({ inputRateHz: TELEPHONE_RATE_HZ, outputRateHz: SPEECH_RATE_HZ });
  #isConfigured = false;
  #isBegun = false;

  read(message: Message): readonly Input[] {
    const inputs: Input[] = this.#isConfigured ? [] : [{ type: 'configure', model: '' }];
    this.#isConfigured = true;
    if (message === 'stop') return [...inputs, ...this.#stop()];
    if (typeof message === 'string') {
      return [
        ...inputs,
        { type: 'invalid', problem: { code: 'unknown_line', text: 'Say stop, or send sound.' } },
      ];
    }
    if (!this.#isBegun) inputs.push({ type: 'begin' });
    this.#isBegun = true;
    const samples = this.#resampler.push(int16ToFloat32(decodeMuLaw(message)));
    if (samples.length > 0) inputs.push({ type: 'append', pcm: float32ToPcm16(samples) });
    return inputs;
  }

  write(notice: Notice): readonly Message[] {
    switch (notice.type) {
      case 'delta':
        return [notice.text.trimStart()];
      case 'done':
        return ['.'];
      case 'fault':
        return [`! ${notice.fault}`];
      case 'invalid':
        return [`! ${notice.problem.text}`];
      default:
        return [];
    }
  }

  #stop(): readonly Input[] {
    const inputs: Input[] = this.#isBegun ? [{ type: 'end' }] : [{ type: 'begin' }, { type: 'end' }];
    this.#isBegun = false;
    return inputs;
  }
}
