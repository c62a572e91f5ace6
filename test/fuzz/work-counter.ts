import { type Profiler, Session } from 'node:inspector';

/**
 * Counts how often the blocks of code of our packages run: a measure of work that is the same on every machine. What runs
 * inside the platform (regular expressions, copying) is not in it.
 */
export class WorkCounter {
  readonly #session = new Session();

  /** Counts what is loaded from now on. */
  start(): void {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many blocks ran since the last time. */
  take(): number {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    // Called before `post` returns: the session is one with its own thread.
    this.#session.post('Profiler.takePreciseCoverage', (error, found) => {
      if (error !== null) throw error;
      scripts = found.result;
    });
    const ours = scripts.filter(({ url }) => /\/packages\/[^/]+\/src\//.test(url));
    return ours
      .flatMap(({ functions }) => functions)
      .flatMap(({ ranges }) => ranges)
      .reduce((sum, { count }) => sum + count, 0);
  }

  close(): void {
    this.#session.disconnect();
  }
}
