import { describe, expect, it } from 'vitest';
import { capacityOf } from '../src/capacity.js';

const GIB = 1024 ** 3;

describe('what an engine takes where nobody says', () => {
  it('is a thread for each core of its own, and the speakers whom they carry', () => {
    expect(capacityOf('base', undefined, { cores: 2, memoryBytes: 24 * GIB })).toEqual({
      threads: 2,
      streamsMax: 8,
    });
    expect(capacityOf('tiny', undefined, { cores: 4, memoryBytes: 24 * GIB })).toEqual({
      threads: 4,
      streamsMax: 20,
    });
  });

  it('follows a quota, also less than one core', () => {
    expect(capacityOf('base', undefined, { cores: 1.5, memoryBytes: 24 * GIB })).toEqual({
      threads: 1,
      streamsMax: 4,
    });
    expect(capacityOf('base', undefined, { cores: 0.5, memoryBytes: 24 * GIB })).toEqual({
      threads: 1,
      streamsMax: 2,
    });
    expect(capacityOf('base', undefined, { cores: 0.1, memoryBytes: 24 * GIB })).toEqual({
      threads: 1,
      streamsMax: 1,
    });
  });

  it('takes no more memory than there is', () => {
    expect(capacityOf('base', undefined, { cores: 16, memoryBytes: 2 * GIB })).toEqual({
      threads: 2,
      streamsMax: 8,
    });
    expect(capacityOf('base', undefined, { cores: 4, memoryBytes: GIB / 2 })).toEqual({
      threads: 1,
      streamsMax: 4,
    });
  });

  it('is what the user wants: threads beyond the cores carry nobody more', () => {
    expect(capacityOf('base', 4, { cores: 2, memoryBytes: GIB })).toEqual({ threads: 4, streamsMax: 8 });
    expect(capacityOf('base', 1, { cores: 2, memoryBytes: GIB })).toEqual({ threads: 1, streamsMax: 4 });
  });
});
