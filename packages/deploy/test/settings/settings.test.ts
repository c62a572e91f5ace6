import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeOthers } from '../../src/json-object.js';
import { checkParameters, settingsFrom, settingsOver, stackParameters } from '../../src/plan/parameters.js';
import { explain, memoryBudget, minutesOf, sessionGib, tokensOf } from '../../src/settings/arithmetic.js';
import { checkSettings } from '../../src/settings/check-settings.js';
import { containerEnvironment } from '../../src/settings/container-environment.js';
import { INSTANCE_TYPES } from '../../src/settings/instances.js';
import { costLine, hourlyUsd, PRICES_DATE } from '../../src/settings/prices.js';
import { type EndpointSettings, withDefaults } from '../../src/settings/settings.js';

const INPUTS = {
  image: {
    imageUri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1',
    repositoryArn: 'arn:aws:ecr:us-east-1:123456789012:repository/a',
  },
  weights: { bucket: 'b', prefix: 'p/' },
  initialInstances: 1,
  createsLogGroup: true,
};

describe('the defaults', () => {
  it("are those of AWS's post for vLLM, and a cheap processor for moonshine", () => {
    expect(withDefaults({ engine: 'vllm' })).toMatchObject({
      instanceType: 'ml.g6.4xlarge',
      sessionsMax: 4,
      sessionsTarget: 3,
      vllm: {
        maxModelLen: 45_000,
        maxNumSeqs: 4,
        gpuMemoryUtilization: 0.9,
        kvCacheDtype: 'auto',
        dtype: 'auto',
        tensorParallelSize: 1,
        compilationConfig: '{"cudagraph_mode": "PIECEWISE"}',
      },
    });
    expect(withDefaults({ engine: 'moonshine' })).toMatchObject({
      instanceType: 'ml.c5.xlarge',
      sessionsMax: 4,
    });
  });

  it('follow the instance: as many GPUs as it has share the model', () => {
    const { vllm } = withDefaults({ engine: 'vllm', instanceType: 'ml.g6.12xlarge' });
    expect(vllm.tensorParallelSize).toBe(4);
  });

  it('hold their own bounds on every instance type', () => {
    for (const instanceType of INSTANCE_TYPES) {
      const engine = /\.g\d/.test(instanceType) ? 'vllm' : 'moonshine';
      expect(() => checkSettings(withDefaults({ engine, instanceType }))).not.toThrow();
    }
  });
});

/** So many other settings of vLLM. */
function many(count: number, value: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, value]));
}

describe('settings that can just be', () => {
  it.each<EndpointSettings>([
    { engine: 'vllm', vllm: { gpuMemoryUtilization: 0.8765 } },
    { engine: 'vllm', vllm: { gpuMemoryUtilization: 0.000_001 } },
    { engine: 'vllm', vllm: { compilationConfig: `{"a":"${'b'.repeat(1_016)}"}` } },
    { engine: 'vllm', vllm: { others: many(87, 'b') } },
  ])('are taken: %j', (settings) => {
    expect(() => checkSettings(withDefaults(settings))).not.toThrow();
  });

  it('have room as a parameter of the template', () => {
    const others = (value: string) => withDefaults({ engine: 'vllm', vllm: { others: many(5, value) } });
    expect(() => checkParameters(others('b'.repeat(800)))).not.toThrow();
    expect(() => checkParameters(others('b'.repeat(900)))).toThrow('CloudFormation takes up to 4096');
  });
});

describe('settings that cannot be', () => {
  it.each<[EndpointSettings, string]>([
    [{ engine: 'vllm', endpointName: '-a' }, 'An endpoint name'],
    [{ engine: 'vllm', endpointName: 'a'.repeat(64) }, 'An endpoint name'],
    [{ engine: 'vllm', instancesMin: 0 }, 'instancesMin must be'],
    [{ engine: 'vllm', instancesMin: 3, instancesMax: 2 }, 'at least as many instances'],
    [{ engine: 'vllm', logRetentionDays: 2 }, 'A log is kept'],
    [{ engine: 'vllm', alarmTopicArn: 'me' }, 'ARN of an SNS topic'],
    [{ engine: 'vllm', instanceType: 'ml.m5.xlarge' }, 'vLLM needs a GPU'],
    [{ engine: 'vllm', vllm: { tensorParallelSize: 2 } }, '1 to 1 GPUs'],
    [{ engine: 'vllm', vllm: { gpuMemoryUtilization: 1.1 } }, 'at most 1'],
    [{ engine: 'vllm', vllm: { gpuMemoryUtilization: 1 / 3 } }, 'six digits'],
    [{ engine: 'vllm', vllm: { gpuMemoryUtilization: 1e-7 } }, 'six digits'],
    [{ engine: 'vllm', vllm: { compilationConfig: '3' } }, 'JSON object'],
    [{ engine: 'vllm', vllm: { compilationConfig: '{\n}' } }, 'on one line'],
    [
      { engine: 'vllm', vllm: { compilationConfig: `{"a":"${'b'.repeat(1_017)}"}` } },
      'The value of --compilation-config is 1025 bytes long; SageMaker takes up to 1024.',
    ],
    [{ engine: 'vllm', vllm: { others: { a: 'ä'.repeat(513) } } }, 'The value of --a is 1026 bytes long'],
    [{ engine: 'vllm', vllm: { others: { ['a'.repeat(1_017)]: '1' } } }, 'The name of --aaa'],
    [{ engine: 'vllm', vllm: { others: many(88, 'b') } }, '101 variables of the container'],
    [
      { engine: 'vllm', vllm: { others: many(40, 'b'.repeat(1_000)) } },
      'SageMaker takes up to 100 with 32768',
    ],
    [{ engine: 'vllm', vllm: { dtype: 'fp8_e4m3' } }, 'The type of the weights'],
    [{ engine: 'vllm', vllm: { others: { 'max-model-len': '1' } } }, 'has a flag of its own'],
    [{ engine: 'vllm', vllm: { others: { '--seed': '1' } } }, 'without dashes'],
  ])('are refused with a sentence: %j', (settings, sentence) => {
    expect(() => checkSettings(withDefaults(settings))).toThrow(
      expect.objectContaining({ code: 'invalid_setting', message: expect.stringContaining(sentence) }),
    );
  });

  it.each(['aws:sns:us-east-1', 'aws-eusc:sns:eusc-de-east-1', 'aws-cn:sns:cn-north-1'])(
    'are not: a topic of %s',
    (place) => {
      const settings: EndpointSettings = {
        engine: 'moonshine',
        alarmTopicArn: `arn:${place}:123456789012:a`,
      };
      expect(() => checkSettings(withDefaults(settings))).not.toThrow();
    },
  );

  it('are refused where the instance type is none', () => {
    expect(() => withDefaults({ engine: 'vllm', instanceType: 'ml.x9.large' })).toThrow(
      expect.objectContaining({ code: 'instance_unknown' }),
    );
  });
});

describe('what the stack remembers', () => {
  const settings = fc.record(
    {
      instancesMax: fc.integer({ min: 1, max: 9 }),
      terminationWaitSeconds: fc.integer({ min: 0, max: 3_600 }),
      networkIsolation: fc.boolean(),
      firstChunkAlarmMs: fc.integer({ min: 1, max: 9_000 }),
      vllm: fc.record(
        {
          maxModelLen: fc.integer({ min: 256, max: 100_000 }),
          maxNumSeqs: fc.integer({ min: 1, max: 64 }),
          gpuMemoryUtilization: fc.integer({ min: 1, max: 100 }).map((part) => part / 100),
          others: fc.constantFrom({}, { 'max-num-batched-tokens': '4096', 'enforce-eager': 'true' }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );

  it('is everything: settings written into parameters and read again are the same', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom('ml.g6.4xlarge', 'ml.g6.12xlarge'), (given, instanceType) => {
        const before = withDefaults({
          engine: 'vllm',
          endpointName: 'demo',
          instanceType,
          ...given,
        } as EndpointSettings);
        const parameters = stackParameters(before, INPUTS);
        expect(withDefaults(settingsFrom(parameters))).toEqual(before);
        expect(settingsOver({ engine: 'vllm', endpointName: 'demo' }, parameters)).toEqual(before);
      }),
    );
  });

  it('gives way to what is asked, and what depends on it is worked out anew', () => {
    const parameters = stackParameters(
      withDefaults({ engine: 'vllm', instanceType: 'ml.g6.12xlarge', vllm: { maxModelLen: 9_000 } }),
      INPUTS,
    );
    expect(settingsOver({ engine: 'vllm', instanceType: 'ml.g6.4xlarge' }, parameters).vllm).toMatchObject({
      maxModelLen: 9_000,
      tensorParallelSize: 1,
    });
    expect(settingsOver({ engine: 'vllm', vllm: { maxNumSeqs: 8 } }, parameters)).toMatchObject({
      sessionsMax: 8,
      sessionsTarget: 6,
    });
    expect(settingsOver({ engine: 'moonshine' }, parameters).instanceType).toBe('ml.c5.xlarge');
  });
});

describe('the arithmetic', () => {
  it('turns tokens of 80 ms into minutes and back', () => {
    expect(minutesOf(45_000)).toBe(60);
    expect(tokensOf(60)).toBe(45_000);
    expect(tokensOf(30)).toBe(22_500);
  });

  it('counts the memory of a session up to where the model looks back', () => {
    // 8192 tokens of 104 KiB in the decoder, 750 frames of 256 KiB in the encoder.
    expect(sessionGib(45_000)).toBeCloseTo((8_192 * 104 * 1_024 + 750 * 256 * 1_024) / 1_024 ** 3, 9);
    expect(sessionGib(45_000)).toBe(sessionGib(8_192));
    expect(sessionGib(1_000)).toBeLessThan(sessionGib(8_192));
  });

  it('says how many sessions fit, and warns where more are let in', () => {
    const { sessionsFit, cacheGib } = memoryBudget(withDefaults({ engine: 'vllm' }));
    expect(cacheGib).toBeCloseTo(22.5 * 0.9 - 8.3 - 2, 9);
    expect(sessionsFit).toBe(9);
    expect(explain(withDefaults({ engine: 'vllm' })).join('\n')).toMatch(
      /45000 is 60 minutes[\s\S]*9 at full length fit/,
    );
    const crowded = withDefaults({ engine: 'vllm', vllm: { maxNumSeqs: 20 } });
    expect(explain(crowded).join('\n')).toMatch(/MORE than fit/);
    expect(explain(withDefaults({ engine: 'moonshine' })).join('\n')).toMatch(
      /ml\.c5\.xlarge has 4 virtual cores/,
    );
  });

  it('knows prices where the table has them, and says so where not', () => {
    expect(hourlyUsd('ml.g6.4xlarge', 'us-east-1')).toBe(1.654);
    expect(hourlyUsd('ml.g6.4xlarge', 'eu-central-1')).toBeUndefined();
    const counts = { instancesMin: 1, instancesMax: 3 };
    expect(costLine({ instanceType: 'ml.g6.4xlarge', ...counts }, 'us-east-1')).toMatch(
      /^\$1\.65 an hour .* up to \$4\.96/,
    );
    expect(costLine({ instanceType: 'ml.g6.4xlarge', ...counts }, 'us-east-1')).toContain(PRICES_DATE);
    const elsewhere = costLine({ instanceType: 'ml.g6.4xlarge', ...counts }, 'eu-central-1');
    expect(elsewhere).toMatch(
      /^not known for ml\.g6\.4xlarge in eu-central-1: the tables of 2026-\d\d-\d\d are of us-east-1, us-east-2, us-west-2, where it was \$1\.65/,
    );
    expect(elsewhere).toContain(
      'aws pricing get-products --region us-east-1 --service-code AmazonSageMaker --filters Type=TERM_MATCH,Field=instanceName,Value=ml.g6.4xlarge Type=TERM_MATCH,Field=regionCode,Value=eu-central-1 Type=TERM_MATCH,Field=component,Value=Hosting',
    );
    expect(costLine({ instanceType: 'ml.g6e.xlarge', ...counts }, 'us-east-1')).toMatch(
      /the tables of 2026-\d\d-\d\d do not have this type\. Look it up first/,
    );
  });
});

describe('the variables of the container', () => {
  it("carry any other setting by the rules of AWS's images", () => {
    const others = decodeOthers(
      '{"max-num-batched-tokens": 8192, "enforce-eager": true, "hf-overrides": {"a": 1}, "x": "y"}',
    );
    const environment = containerEnvironment(withDefaults({ engine: 'vllm', vllm: { others } }), true);
    expect(environment).toMatchObject({
      SM_VLLM_MAX_NUM_BATCHED_TOKENS: '8192',
      SM_VLLM_ENFORCE_EAGER: 'true',
      SM_VLLM_HF_OVERRIDES: '{"a":1}',
      SM_VLLM_X: 'y',
    });
    expect(Object.keys(environment).join()).not.toMatch(/TOKEN(?!IZER|S)/);
  });
});
