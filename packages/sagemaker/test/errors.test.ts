import { readFileSync } from 'node:fs';
import { TransportError } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { SAGEMAKER_ERRORS, SageMakerError, type SageMakerErrorReason } from '../src/errors.js';

const REASONS = Object.keys(SAGEMAKER_ERRORS) as SageMakerErrorReason[];
const DOCUMENT = readFileSync(new URL('../../../docs/sagemaker.md', import.meta.url), 'utf8');

describe('a reason', () => {
  it('is a TransportError with a sentence that says what happened and what to do', () => {
    for (const reason of REASONS) {
      const error = new SageMakerError(reason);
      expect(error).toBeInstanceOf(TransportError);
      expect(error.name).toBe('SageMakerError');
      expect(error.code).toBe(SAGEMAKER_ERRORS[reason].code);
      expect(error.message).toMatch(/^[A-Z].{20,}\.$/);
      expect(error.retryable).toBe(SAGEMAKER_ERRORS[reason].retryable);
    }
  });

  it('has a row in docs/sagemaker.md, and the document names no other', () => {
    const rows = [...DOCUMENT.matchAll(/^\| `([a-z0-9_]+)` +\| `([a-z0-9_]+)` +\| (yes|no|depends) /gm)];
    const documented = rows.map(([, reason, code, retryable]) => `${reason} ${code} ${retryable}`);
    const actual = REASONS.map((reason) => {
      const { code, retryable } = SAGEMAKER_ERRORS[reason];
      const depends = reason === 'model_refused' || reason === 'model_ended';
      return `${reason} ${code} ${depends ? 'depends' : retryable ? 'yes' : 'no'}`;
    });
    expect(documented.sort()).toEqual(actual.sort());
  });

  it('lets the container decide whether another try is worth it', () => {
    const refused = (originalStatus?: number): boolean =>
      new SageMakerError('model_refused', { originalStatus }).retryable;
    expect([404, 401, 400].map(refused)).toEqual([false, false, false]);
    expect([undefined, 429, 408, 500, 503].map(refused)).toEqual([true, true, true, true, true]);
    const ended = (closeCode: number): boolean => new SageMakerError('model_ended', { closeCode }).retryable;
    expect([1008, 1009, 4000].map(ended)).toEqual([false, false, false]);
    expect([1011, 1012, 1013].map(ended)).toEqual([true, true, true]);
    expect(new SageMakerError('model_ended').retryable).toBe(true);
  });

  it('repeats only so much of what the service said', () => {
    const long = 'x'.repeat(5000);
    const { serviceText, serviceCode } = new SageMakerError('throttled', {
      serviceText: long,
      serviceCode: long,
    });
    expect([serviceText?.length, serviceCode?.length]).toEqual([1024, 1024]);
  });
});
