import { describe, expect, it } from 'vitest';
import { examine } from '../../src/commands/doctor.js';
import type { Check } from '../../src/doctor/check.js';
import { memoryFinding, nodeFinding } from '../../src/doctor/machine-checks.js';
import { modelCheck } from '../../src/doctor/model-check.js';
import { speedFinding } from '../../src/doctor/speed-check.js';
import type { ModelRow, ModelStore } from '../../src/model-store.js';
import { memoryContext } from '../memory-context.js';

const good: Check = { name: 'Good', look: async () => ({ status: 'ok', detail: 'fine' }) };
const poor: Check = {
  name: 'Poor',
  look: async () => ({ status: 'warn', detail: 'so so', advice: 'Do this.' }),
};
const bad: Check = {
  name: 'Bad',
  look: async () => ({ status: 'fail', detail: 'broken', advice: 'Do that.' }),
};
const throwing: Check = { name: 'Odd', look: () => Promise.reject(new Error('boom')) };

async function run(checks: readonly Check[], json = false) {
  const context = memoryContext();
  const options = { port: 8000, model: undefined, json };
  const exitCode = await examine(checks, { options }, context);
  return { exitCode, out: context.stdout.text };
}

describe('kikitori doctor', () => {
  it('prints a line per check and what to do about it; warnings are no failure', async () => {
    const { exitCode, out } = await run([good, poor]);
    expect(exitCode).toBe(0);
    expect(out).toBe('ok    Good        fine\nwarn  Poor        so so\n                  Do this.\n');
  });

  it('ends with 1 when something fails, also when a check itself does', async () => {
    expect((await run([good, bad])).exitCode).toBe(1);
    const { exitCode, out } = await run([throwing, good]);
    expect(exitCode).toBe(1);
    expect(out).toContain('fail  Odd');
    expect(out).toContain('ok    Good');
  });

  it('prints JSON', async () => {
    const { out } = await run([good, bad], true);
    expect(JSON.parse(out)).toEqual({
      ok: false,
      checks: [
        { name: 'Good', status: 'ok', detail: 'fine' },
        { name: 'Bad', status: 'fail', detail: 'broken', advice: 'Do that.' },
      ],
    });
  });

  it.each([
    ['20.19.0', 'ok'],
    ['20.18.9', 'fail'],
    ['18.20.0', 'fail'],
    ['22.0.0', 'ok'],
  ])('finds Node %s: %s', (version, status) => expect(nodeFinding(version).status).toBe(status));

  it.each([
    [2e9, 8e9, 'ok'],
    [3e8, 8e9, 'warn'],
    [2e8, 2.5e8, 'fail'],
  ])('finds %d of %d bytes: %s', (free, total, status) =>
    expect(memoryFinding(free, total).status).toBe(status),
  );

  it('says whether the processor carries a speaker, and how many are let in', () => {
    const run = { audioMs: 10_000, wallMs: 10_100, firstDeltasMs: [900], finalsMs: [200], text: 'x' };
    const quick = speedFinding({ ...run, coreSecondsPerSecond: 0.25, lagsMs: [500, 900] }, 'moonshine-base', {
      cores: 2,
      streamsMax: 8,
    });
    expect(quick).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('serve takes 8 speakers at once on 2 cores'),
    });
    const slow = speedFinding({ ...run, coreSecondsPerSecond: 2.5, lagsMs: [4_000] }, 'moonshine-base', {
      cores: 2,
      streamsMax: 8,
    });
    expect(slow).toMatchObject({ status: 'warn', advice: expect.stringContaining('--model tiny') });
    const quarter = { ...run, coreSecondsPerSecond: 0.26, lagsMs: [1_900] };
    expect(speedFinding(quarter, 'moonshine-tiny', { cores: 0.25, streamsMax: 1 })).toMatchObject({
      status: 'warn',
      advice: 'This process may use 0.25 of a processor: give it more.',
    });
    expect(
      speedFinding({ ...run, coreSecondsPerSecond: 0.1, lagsMs: [] }, 'x', { cores: 2, streamsMax: 8 })
        .status,
    ).toBe('fail');
  });

  it.each([
    ['present', [], 'ok'],
    ['absent', [], 'warn'],
    ['present', ['encoder_model.onnx'], 'fail'],
  ] as const)(
    'looks whether the model is here and whole: %s, damaged %j → %s',
    async (state, damaged, status) => {
      const row = (name: string, kind: ModelRow['kind']): ModelRow => {
        const about = { description: '', licence: 'MIT', languages: [], dir: '' };
        return { name, kind, state, sizeBytes: 1, ...about };
      };
      const store: ModelStore = {
        list: async () => [row('base', 'moonshine'), row('silero', 'silero')],
        pull: async () => undefined,
        remove: async () => true,
        problems: async () => damaged,
      };
      const context = memoryContext({ factories: { openModelStore: async () => store } });
      const question = { port: 1, model: undefined, signal: context.signal };
      const finding = await modelCheck.look(question, context);
      expect(finding.status).toBe(status);
      if (status !== 'ok') expect(finding.advice).toContain('models pull base');
    },
  );
});
