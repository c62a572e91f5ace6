import type { SpeechEngine } from '@kikitori/engine';

/** An engine that is loaded when it is time. */
export interface DeferredEngine {
  /** Settles after `load`; rejects as the loading does. */
  readonly loaded: Promise<SpeechEngine>;
  /** Begins to load; once. */
  load(): void;
  /** Closes what was loaded; waits for a loading under way, which whoever began it aborts. Idempotent. */
  close(): Promise<void>;
}

/**
 * Lets a server have the promise of an engine before anything is loaded: the port comes first, since nobody should wait
 * for a model to hear that the port is taken.
 */
export function deferEngine(start: () => Promise<SpeechEngine>): DeferredEngine {
  let load = (): void => undefined;
  let isBegun = false;
  const loaded = new Promise<void>((resolve) => {
    load = resolve;
  }).then(() => {
    isBegun = true;
    return start();
  });
  // Whoever waits for it hears of it; somebody who gave up before does not want to.
  const settled = loaded.catch(() => undefined);
  return {
    loaded,
    load: () => load(),
    close: async () => {
      if (isBegun) await (await settled)?.close();
    },
  };
}
