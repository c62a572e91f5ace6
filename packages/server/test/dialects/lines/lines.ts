import { decodeMuLaw, float32ToPcm16, int16ToFloat32, Resampler, SPEECH_RATE_HZ } from '@kikitori/audio';
import type { Message } from '@kikitori/transport';
import type { Conversation, Dialect } from '../../../src/dialects/dialect.js';
import { credentialOf } from '../../../src/doors/credentials.js';
import type { SessionInput, SessionNotice } from '../../../src/session/state.js';

const TELEPHONE_RATE_HZ = 8_000;

/**
 * A dialect as small as one can be, and as unlike vLLM's: G.711 μ-law of 8 kHz in binary messages, `stop` ends an
 * utterance, and what is said comes as lines of text. With `?lanes=caller,agent` the first byte of a binary message says
 * whose sound it is, and each line begins with a name. It shows what adding a dialect takes: this folder, and one line
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
  converse: ({ query }) => {
    const lanes = new URLSearchParams(query).get('lanes');
    return new LinesConversation(lanes === null ? undefined : lanes.split(','));
  },
};

class LinesConversation implements Conversation {
  readonly #labels: readonly string[] | undefined;
  /** One for each lane and for the whole connection: a message need not hold whole periods of anything. */
  readonly #resamplers: readonly Resampler[];
  #isConfigured = false;
  #isBegun = false;

  constructor(labels: readonly string[] | undefined) {
    this.#labels = labels;
    this.#resamplers = (labels ?? ['']).map(
      () => new Resampler({ inputRateHz: TELEPHONE_RATE_HZ, outputRateHz: SPEECH_RATE_HZ }),
    );
  }

  read(message: Message): readonly SessionInput[] {
    const inputs: SessionInput[] = this.#isConfigured ? [] : this.#opening();
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
    const lane = this.#labels === undefined ? 0 : (message[0] ?? 0);
    const sound = this.#labels === undefined ? message : message.subarray(1);
    const samples = this.#resamplers[lane]?.push(int16ToFloat32(decodeMuLaw(sound)));
    if (samples !== undefined && samples.length > 0) {
      inputs.push({ type: 'append', lane, pcm: float32ToPcm16(samples) });
    }
    return inputs;
  }

  write(notice: SessionNotice): readonly Message[] {
    const who = notice.lane === undefined ? '' : `${notice.lane.label}: `;
    switch (notice.type) {
      case 'delta':
        return [`${who}${notice.text.trimStart()}`];
      case 'done':
        return [`${who}.`];
      case 'fault':
        return [`! ${notice.fault}`];
      case 'invalid':
        return [`! ${notice.problem.text}`];
      default:
        return [];
    }
  }

  #opening(): SessionInput[] {
    const lanes: SessionInput[] = this.#labels === undefined ? [] : [{ type: 'lanes', labels: this.#labels }];
    return [...lanes, { type: 'configure', model: '' }];
  }

  #stop(): readonly SessionInput[] {
    const inputs: SessionInput[] = this.#isBegun ? [{ type: 'end' }] : [{ type: 'begin' }, { type: 'end' }];
    this.#isBegun = false;
    return inputs;
  }
}
