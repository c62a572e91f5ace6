import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkDeployment } from '../../src/lifecycle/check.js';
import { destroyEndpoint } from '../../src/lifecycle/destroy.js';
import { readLog } from '../../src/lifecycle/logs.js';
import { scaleEndpoint } from '../../src/lifecycle/scale.js';
import { readStatus } from '../../src/lifecycle/status.js';
import { FAIR, type Weather } from '../fake-aws/account.js';
import { MOONSHINE, Rehearsal, type RehearsalOptions, VLLM } from '../fake-aws/rehearsal.js';
import { VirtualTime } from '../fake-aws/virtual-time.js';

beforeAll(() => {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

let open: Rehearsal[] = [];
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()));
  open = [];
});

interface Rehearsing extends Pick<RehearsalOptions, 'wire'> {
  readonly weather?: Partial<Weather>;
  /** Of AWS's work. As in life, a stack is looked at some eighty times: where that is not what is tested, it is soon done. */
  readonly pace?: number;
}

async function rehearse({ weather = {}, pace = 0.1, wire = 'in process' }: Rehearsing = {}) {
  const time = new VirtualTime({ pace });
  const rehearsal = await Rehearsal.open({ time, seed: 1, weather: { ...FAIR, ...weather }, wire });
  open.push(rehearsal);
  return { rehearsal, time, account: rehearsal.fake.account };
}

describe('deploy', () => {
  it.each([VLLM, MOONSHINE])('makes everything, and nothing a second time: $engine', async (settings) => {
    const { rehearsal, account } = await rehearse({ wire: 'sockets' });
    expect(await rehearsal.deploy(settings)).toMatchObject({
      result: 'created',
      outputs: { EndpointArn: 'arn:aws:sagemaker:us-west-2:123456789012:endpoint/demo' },
    });
    const kinds = account.inventory().map((line) => line.split(' ')[0]);
    expect(kinds.filter((kind) => kind === 'alarm')).toHaveLength(settings.engine === 'vllm' ? 5 : 4);
    for (const kind of ['role', 'model', 'config', 'endpoint', 'target', 'scaling', 'dashboard', 'log']) {
      expect(kinds.filter((one) => one === kind)).toHaveLength(1);
    }
    const before = account.inventory();
    expect(await rehearsal.deploy(settings)).toMatchObject({ result: 'unchanged' });
    expect(account.inventory()).toEqual(before);
  });

  it('changes what is asked, keeps what was said before, and leaves no old model behind', async () => {
    const { rehearsal, account } = await rehearse();
    await rehearsal.deploy({
      ...VLLM,
      vllm: { maxModelLen: 22_500, others: { 'max-num-batched-tokens': '4096' } },
    });
    expect(await rehearsal.deploy({ ...VLLM, vllm: { maxNumSeqs: 8 } })).toMatchObject({ result: 'updated' });
    expect([...account.models.values()].map(({ environment }) => environment)).toEqual([
      expect.objectContaining({
        SM_VLLM_MAX_MODEL_LEN: '22500',
        SM_VLLM_MAX_NUM_SEQS: '8',
        SM_VLLM_MAX_NUM_BATCHED_TOKENS: '4096',
      }),
    ]);
    expect(account.configs.size).toBe(1);
  });

  it('only changes the bounds of scaling where nothing else is asked: no instance is replaced', async () => {
    const { rehearsal, account } = await rehearse();
    await rehearsal.deploy(VLLM);
    const [config] = account.configs.keys();
    expect(await rehearsal.deploy({ ...VLLM, instancesMin: 2, instancesMax: 3 })).toMatchObject({
      result: 'updated',
    });
    expect([...account.configs.keys()]).toEqual([config]);
    expect([...account.targets.values()]).toEqual([{ min: 2, max: 3 }]);
  });

  it('goes back when an update fails, says why, and carries on when that is mended', async () => {
    const { rehearsal, account } = await rehearse();
    await rehearsal.deploy(VLLM);
    account.quotas.set('ml.g6.4xlarge', 1);
    rehearsal.tag = '2';
    await expect(rehearsal.deploy(VLLM)).rejects.toMatchObject({ code: 'quota_insufficient' });
    expect(account.endpoints.get('demo')?.status).toBe('InService');
    expect(account.models.size).toBe(1);
    account.quotas.set('ml.g6.4xlarge', 2);
    expect(await rehearsal.deploy(VLLM)).toMatchObject({ result: 'updated' });
  });

  it('tries again by itself when SageMaker does not know the new role yet', async () => {
    const { rehearsal, account } = await rehearse({ weather: { slowRole: 1 } });
    // Known everywhere a little later than the first try needs it, and from then on at once.
    rehearsal.fake.onCall = (name) => {
      if (name === 'cloudformation:DeleteStack') account.weather = FAIR;
    };
    expect(await rehearsal.deploy(VLLM)).toMatchObject({ result: 'created' });
    expect(rehearsal.told.join('\n')).toMatch(/does not know the new role yet/);
    expect(account.logGroups.get('/aws/sagemaker/Endpoints/demo')?.retention).toBe(14);
  });

  it('removes what a failed try left, keeps its log, and makes it anew', async () => {
    const { rehearsal, account } = await rehearse({ weather: { failingEndpoint: 1 } });
    await expect(rehearsal.deploy(VLLM)).rejects.toMatchObject({
      code: 'endpoint_failed',
      message: expect.stringContaining('kikitori logs'),
    });
    expect(account.inventory()).toEqual(['log group /aws/sagemaker/Endpoints/demo']);
    const log = await rehearsal.run(async (aws, { signal }) => {
      const lines: string[] = [];
      for await (const { text } of readLog(aws, { endpointName: 'demo', sinceMs: 0, follow: false, signal }))
        lines.push(text);
      return lines;
    });
    expect(log).toContain('ERROR CUDA out of memory');
    account.weather = FAIR;
    expect(await rehearsal.deploy(VLLM)).toMatchObject({ result: 'created' });
  });

  it.each(['left by an endpoint that was destroyed', 'that somebody else has made'])(
    'takes the log group that is there, %s: to make one would fail, and to wait for it as well',
    async (whose) => {
      const { rehearsal, account } = await rehearse();
      const group = '/aws/sagemaker/Endpoints/demo';
      if (whose.startsWith('left')) {
        await rehearsal.deploy(VLLM);
        const wish = { endpointName: 'demo', keepsLog: true, isAll: false };
        await rehearsal.run((aws, options) => destroyEndpoint(aws, wish, options));
      } else account.logGroups.set(group, { retention: undefined, lines: [] });
      expect(account.inventory()).toEqual([`log group ${group}`]);
      expect(await rehearsal.deploy(VLLM)).toMatchObject({ result: 'created' });
      expect(account.logGroups.get(group)?.retention).toBe(14);
      expect(account.endpoints.get('demo')?.status).toBe('InService');
    },
  );

  it.each(['failed', 'complete'] as const)(
    'leaves no change set behind that would change nothing (%s)',
    async (saysEmpty) => {
      const { rehearsal } = await rehearse();
      const { cloudFormation } = rehearsal.fake;
      cloudFormation.saysEmpty = saysEmpty;
      await rehearsal.deploy(MOONSHINE);
      expect(await rehearsal.deploy(MOONSHINE)).toMatchObject({ result: 'unchanged' });
      expect(cloudFormation.changeSets.map(({ isExecuted }) => isExecuted)).toEqual([true]);
    },
  );

  it('leaves no change set behind that was refused, or that somebody broke off', async () => {
    const { rehearsal, account } = await rehearse();
    const { cloudFormation } = rehearsal.fake;
    for (const name of ['CreateChangeSet', 'DescribeChangeSet', 'DescribeStackEvents']) {
      const stopped = new AbortController();
      rehearsal.fake.onCall = (call) => {
        if (call === `cloudformation:${name}`) stopped.abort(new Error('enough'));
      };
      await expect(rehearsal.deploy(MOONSHINE, stopped.signal), name).rejects.toThrow('enough');
      expect(cloudFormation.changeSets, name).toEqual([]);
    }
    rehearsal.fake.onCall = undefined;
    cloudFormation.refusal = 'Early validation says no.';
    await expect(rehearsal.deploy(MOONSHINE)).rejects.toMatchObject({ code: 'stack_failed' });
    expect(cloudFormation.changeSets).toEqual([]);
    // The stack that they announced is there, empty and without our tag: it is removed, and made.
    expect(cloudFormation.find('kikitori-demo')?.status).toBe('REVIEW_IN_PROGRESS');
    expect(await rehearsal.destroy(MOONSHINE)).toMatchObject({ hadStack: true });
    expect(cloudFormation.find('kikitori-demo')).toBeUndefined();
    await expect(rehearsal.deploy(MOONSHINE)).rejects.toMatchObject({ code: 'stack_failed' });
    cloudFormation.refusal = undefined;
    expect(await rehearsal.deploy(MOONSHINE)).toMatchObject({ result: 'created' });
    expect(account.endpoints.get('demo')?.status).toBe('InService');
  });

  it('touches nothing that it did not make', async () => {
    const { rehearsal, account, time } = await rehearse();
    const foreign = {
      name: 'demo',
      config: 'c',
      status: 'InService',
      instances: 1,
      desired: 1,
      createdAt: new Date(time.nowMs()),
    };
    account.endpoints.set('demo', foreign);
    await expect(rehearsal.deploy(VLLM)).rejects.toMatchObject({ code: 'not_ours' });
    await expect(rehearsal.destroy(VLLM)).rejects.toMatchObject({ code: 'not_ours' });
    expect([...account.endpoints.values()]).toEqual([foreign]);
  });

  it.each(['demo', `a--name-that-${'is-long-'.repeat(6)}x`])(
    'needs no more than its own policy, for everything it does: %s',
    async (endpointName) => {
      const { rehearsal, account } = await rehearse();
      const settings = { ...VLLM, endpointName };
      account.policy = (await rehearsal.prepare(settings)).plan.policy;
      await rehearsal.deploy(settings);
      rehearsal.tag = '2';
      await rehearsal.deploy(settings);
      await rehearsal.run(async (aws, options) => {
        const prepared = await rehearsal.prepare(settings);
        await checkDeployment(aws, prepared, { signal: options.signal });
        await scaleEndpoint(aws, endpointName, { instancesMax: 2, instancesDesired: 2 }, options);
        await readStatus(aws, endpointName, options.signal);
      });
      await rehearsal.destroy(settings).catch(() => undefined);
      expect(account.denied).toEqual([]);
      expect(account.inventory()).toEqual([]);
    },
  );

  it('names the action that is missing', async () => {
    const { rehearsal, account } = await rehearse();
    const { policy } = (await rehearsal.prepare(VLLM)).plan;
    account.policy = {
      ...policy,
      Statement: policy.Statement.map((one) => ({
        ...one,
        Action: one.Action.filter((action) => action !== 'cloudformation:CreateChangeSet'),
      })),
    };
    await expect(rehearsal.deploy(VLLM)).rejects.toMatchObject({
      code: 'access_denied',
      message: expect.stringContaining('cloudformation:CreateChangeSet'),
    });
  });
});

describe('the checks', () => {
  it('find all well, or say what is missing and how to get it', async () => {
    const { rehearsal, account } = await rehearse();
    const check = () =>
      rehearsal.run(async (aws, options) =>
        checkDeployment(aws, await rehearsal.prepare(VLLM), { signal: options.signal }),
      );
    expect((await check()).map(({ name, state }) => [name, state])).toEqual([
      ['account', 'ok'],
      ['quota', 'ok'],
      ['permissions', 'ok'],
      ['image', 'ok'],
      ['weights', 'ok'],
    ]);
    // A denial for all regions but one, say: the simulation does not know from where it is asked.
    account.undecidedBy = ['aws:RequestedRegion', 'aws:MultiFactorAuthPresent'];
    expect((await check()).find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'unknown',
      text: expect.stringContaining('aws:RequestedRegion, aws:MultiFactorAuthPresent'),
    });
    account.undecidedBy = [];
    account.quotas.set('ml.g6.4xlarge', 0);
    account.ecr.repositories.clear();
    const missing = (await check()).filter(({ state }) => state === 'missing');
    expect(missing.map(({ name }) => name)).toEqual(['quota', 'image']);
    expect(missing[0]?.remedy).toMatch(/request-service-quota-increase .*--quota-code L-0 --desired-value 1/);
    account.policy = { Version: '2012-10-17', Statement: [] };
    await expect(check()).rejects.toMatchObject({ code: 'access_denied' });
  });
});

describe('status, logs and scale', () => {
  it('say how it is', async () => {
    const { rehearsal, account, time } = await rehearse();
    await rehearsal.deploy(VLLM);
    const [[own = ''] = []] = [...account.alarms].filter(([name]) => name.includes('Concurrency'));
    for (const alarm of account.alarms.values()) alarm.state = 'OK';
    // Of an endpoint whose name goes on where this one ends.
    const dimensions = [{ Name: 'EndpointName', Value: 'demo-eu' }];
    for (const one of ['A', 'B', 'C', 'D']) {
      account.alarms.set(`kikitori-demo-eu-${one}`, { state: 'ALARM', dimensions });
    }
    const ringing = account.alarms.get(own);
    account.alarms.delete(own);
    account.alarms.set(own, { state: 'ALARM', dimensions: ringing?.dimensions ?? [] });
    time.advance(3_600_000);
    const status = await rehearsal.run((aws, options) => readStatus(aws, 'demo', options.signal));
    expect(status).toMatchObject({
      stackStatus: 'CREATE_COMPLETE',
      endpointStatus: 'InService',
      instanceType: 'ml.g6.4xlarge',
      instances: 1,
      instancesMin: 1,
      metrics: { sessionsNow: 2, sessionsBegun: 17, firstChunkMs: 180 },
      alarms: [own],
      usdPerHour: 1.654,
    });
    expect(status.usdSoFar).toBeGreaterThan(1.654);
    await expect(
      rehearsal.run((aws, options) => readStatus(aws, 'other', options.signal)),
    ).rejects.toMatchObject({
      code: 'not_deployed',
    });
  });

  it('follow the log, every line once, until told to stop', async () => {
    const { rehearsal, account, time } = await rehearse();
    await rehearsal.deploy(MOONSHINE);
    const group = account.logGroups.get('/aws/sagemaker/Endpoints/demo');
    const stop = new AbortController();
    let sleeps = 0;
    time.onSleep = () => {
      sleeps += 1;
      const line = {
        eventId: `e${sleeps}`,
        timestamp: time.nowMs(),
        logStreamName: 'all/i-0abc',
        message: `line ${sleeps}\n`,
      };
      group?.lines.push(line);
      if (sleeps === 5) stop.abort(new Error('enough'));
    };
    const lines: string[] = [];
    const followed = rehearsal.run(async (aws) => {
      const options = { endpointName: 'demo', sinceMs: 0, follow: true, signal: stop.signal };
      for await (const { text } of readLog(aws, options)) lines.push(text);
    });
    await expect(followed).rejects.toThrow('enough');
    expect(lines).toEqual(['INFO loading the model', 'INFO ready', 'line 1', 'line 2', 'line 3', 'line 4']);
  });

  it('scale without replacing an instance, and so that the next deploy knows it', async () => {
    const { rehearsal, account, time } = await rehearse();
    await rehearsal.deploy(VLLM);
    const [config] = account.configs.keys();
    const scaled = await rehearsal.run((aws, options) =>
      scaleEndpoint(aws, 'demo', { instancesMin: 1, instancesMax: 4, instancesDesired: 2 }, options),
    );
    expect(scaled).toEqual({ result: 'updated', instancesMin: 1, instancesMax: 4 });
    time.advance(600_000);
    expect(account.endpoints.get('demo')?.instances).toBe(2);
    expect(await rehearsal.deploy(VLLM)).toMatchObject({ result: 'unchanged' });
    expect([...account.configs.keys()]).toEqual([config]);
    const refused = rehearsal.run((aws, options) =>
      scaleEndpoint(aws, 'demo', { instancesDesired: 9 }, options),
    );
    await expect(refused).rejects.toMatchObject({ code: 'invalid_setting' });
  });
});

describe('destroy', () => {
  it('removes everything, and says that nothing was there the second time', async () => {
    const { rehearsal, account } = await rehearse({ pace: 1 });
    await rehearsal.deploy(VLLM);
    const { hadStack, left } = await rehearsal.destroy(VLLM);
    expect(hadStack).toBe(true);
    expect(account.inventory()).toEqual([]);
    expect(left).toEqual([
      expect.stringMatching(/^the image .*kikitori-vllm@sha256:.*: it was named, not made$/),
      expect.stringMatching(/^the weights in s3:.*: they were named, not brought$/),
      expect.stringContaining('AWSServiceRoleForApplicationAutoScaling'),
    ]);
    expect(await rehearsal.destroy(VLLM)).toMatchObject({ hadStack: false });
  });

  it('says what is left where something cannot be removed, and removes it the next time', async () => {
    const { rehearsal, account } = await rehearse();
    await rehearsal.deploy(VLLM);
    const endpoint = account.endpoints.get('demo');
    if (endpoint !== undefined) endpoint.status = 'Updating';
    await expect(rehearsal.destroy(VLLM)).rejects.toMatchObject({ code: 'left_behind' });
    expect(rehearsal.told.join('\n')).toMatch(/left: AWS::SageMaker::Endpoint .*endpoint\/demo/);
    if (endpoint !== undefined) endpoint.status = 'InService';
    await rehearsal.destroy(VLLM);
    expect(account.inventory()).toEqual([]);
  });
});
