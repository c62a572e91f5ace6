import { laneOf } from '@kikitori/audio/channels';
import type { SessionEvent } from '@kikitori/client';
import type { HeardEvent, SpeechLink } from './link.js';

/**
 * Several sessions as one, each for a lane: takes interleaved samples, and says of each event whose lane it is about. What
 * fails one of them fails all.
 */
export function joinLinks(links: readonly SpeechLink[]): SpeechLink {
  const [first] = links;
  if (first !== undefined && links.length === 1) return first;
  const each = async (act: (link: SpeechLink) => Promise<void>): Promise<void> => {
    await Promise.all(links.map(act));
  };
  return {
    languages: first?.languages ?? [],
    hasKey: first?.hasKey ?? false,
    heard: merged(links.map(({ heard }) => heard)),
    send: async (samples) => {
      await Promise.all(links.map((link, lane) => link.send(laneOf(samples, lane, links.length))));
    },
    finish: (options) => each((link) => link.finish(options)),
    close: () => each((link) => link.close()),
  };
}

/** What one of several said next. */
interface Said {
  readonly lane: number;
  readonly result: IteratorResult<SessionEvent>;
}

/** Events as they come, whichever lane they are of; ends with the last of them, and throws as the first that fails. */
async function* merged(heard: readonly AsyncIterable<SessionEvent>[]): AsyncGenerator<HeardEvent, void> {
  const iterators = heard.map((events) => events[Symbol.asyncIterator]());
  const next = async (lane: number): Promise<Said> => {
    const result = await iterators[lane]?.next();
    return { lane, result: result ?? { done: true, value: undefined } };
  };
  const waiting = new Map(iterators.map((_, lane) => [lane, next(lane)]));
  while (waiting.size > 0) {
    const { lane, result } = await Promise.race(waiting.values());
    if (result.done === true) {
      waiting.delete(lane);
      continue;
    }
    waiting.set(lane, next(lane));
    yield { ...result.value, lane };
  }
}
