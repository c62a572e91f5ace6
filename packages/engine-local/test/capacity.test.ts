import { expect, it } from 'vitest';
import { capacityOf } from '../src/capacity.js';
import { LOCAL_LIMITS } from '../src/limits.js';

const { threadsMax } = LOCAL_LIMITS;

// What, of which model, threads that are wanted; cores and GiB; threads and speakers.
it.each([
  ['a thread for each core, and its speakers', 'base', undefined, [2, 24], [2, 8]],
  ['more speakers with the smaller model', 'tiny', undefined, [4, 24], [4, 20]],
  ['as much as base for a model of no name', 'mine', undefined, [2, 24], [2, 8]],
  ['no thread for a part of a core', 'base', undefined, [1.5, 24], [1, 4]],
  ['less than one core', 'base', undefined, [0.5, 24], [1, 2]],
  ['a quarter of a processor', 'base', undefined, [0.25, 24], [1, 1]],
  ['a quarter of a processor with the smaller model', 'tiny', undefined, [0.25, 24], [1, 1]],
  ['one speaker at least', 'base', undefined, [0.1, 24], [1, 1]],
  ['as many threads as the memory holds', 'base', undefined, [16, 2], [2, 8]],
  ['smaller ones, of which it holds more', 'tiny', undefined, [16, 2], [5, 25]],
  ['one thread, whatever the memory', 'base', undefined, [4, 0.5], [1, 4]],
  ['threads that are wanted; they carry none', 'base', 4, [2, 1], [4, 8]],
  ['fewer threads that are wanted', 'base', 1, [2, 1], [1, 4]],
  ['no more threads than any engine has', 'base', threadsMax + 1, [999, 999], [threadsMax, 4 * threadsMax]],
] as const)('an engine takes %s', (_what, model, wanted, [cores, gib], [threads, streamsMax]) => {
  expect(capacityOf(model, wanted, { cores, memoryBytes: gib * 1024 ** 3 })).toEqual({ threads, streamsMax });
});
