import type { VoiceDetector, VoiceRequest, VoiceResult } from '@kikitori/engine';
import type { VoiceThread } from '../worker/thread.js';
import { createSileroState, type SileroState } from './silero.js';

/** Silero in a thread of its own, for all streams of an engine. */
export class SileroDetector implements VoiceDetector {
  readonly #thread: VoiceThread;

  /** The thread belongs to it from then on. */
  constructor(thread: VoiceThread) {
    this.#thread = thread;
  }

  begin(): SileroState {
    return createSileroState();
  }

  async listen({ samples, state }: VoiceRequest): Promise<VoiceResult> {
    const { memory, context } = state as SileroState; // Made by `begin`, or by the thread.
    // What goes into the thread does not come back when it dies, and then the same is asked again.
    const copy = { memory: memory.slice(), context: context.slice() };
    return await this.#thread.listen({ samples, state: copy });
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
