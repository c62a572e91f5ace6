/** Clients that go through SageMaker's bidirectional stream: our server is the container, a stand-in the runtime in front of it. */
import {
  createSageMakerStandIn,
  LOCAL_CREDENTIALS,
  type SageMakerStandIn,
} from '@kikitori/sagemaker/stand-in';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { pythonHomes, pythonOf } from './homes.js';
import { areThere, finalOf, kindsOf, pythonScript, type Told, toldBy, useSpokenFiles } from './programs.js';
import { useStage, whyNoClients } from './stage.js';

const REGION = 'us-east-1';
const hasSdk = areThere('SageMaker in Python (3.12 or newer)', pythonOf(pythonHomes.sagemaker));
// Its services for SageMaker need what only a newer Python has; both come together.
const hasPipecat = hasSdk && areThere('pipecat on SageMaker', pythonOf(pythonHomes.pipecat));
const INTERIMS = ['final', 'interim'];

describe.skipIf(whyNoClients !== undefined || !hasSdk)('through SageMaker', { timeout: 120_000 }, () => {
  const stage = useStage();
  const files = useSpokenFiles();
  let container: RunningServer;
  let standIn: SageMakerStandIn;

  beforeAll(async () => {
    if (whyNoClients !== undefined || !hasSdk) return;
    // SageMaker hands on no key.
    container = await startServer({ engine: stage.engine, attach: attachWebSockets, port: 0 });
    const containerUrl = container.url.replace('http', 'ws');
    const endpoints = [{ name: 'demo', containerUrl }];
    standIn = await createSageMakerStandIn({
      endpoints,
      region: REGION,
      port: 0,
      limits: { healthIntervalMs: 50 },
    });
    await standIn.whenInService();
  });
  afterAll(async () => {
    await standIn?.close();
    await container?.close();
  });

  const told = (home: string, script: string, client: string, secret?: string): Promise<Told[]> => {
    const url = `https://localhost:${standIn.port}`;
    const words = [pythonScript(script), client, url, 'unused', stage.engine.info.model, files[16_000]];
    return toldBy(pythonOf(home), words, {
      AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: secret ?? LOCAL_CREDENTIALS.secretAccessKey,
      AWS_REGION: REGION,
      SSL_CERT_FILE: standIn.authorityPath ?? '',
    });
  };

  it.each([
    ['aws', INTERIMS],
    ['deepgram', INTERIMS],
    ['flux', ['final', 'interim', 'start']],
  ])('in Python: %s', async (client, kinds) => {
    const heard = await told(pythonHomes.sagemaker, 'sagemaker_clients.py', client);
    expect(kindsOf(heard)).toEqual(kinds);
    expectWhole(finalOf(heard), 'ferry');
  });

  it.skipIf(!hasPipecat).each(['nvidia-sagemaker', 'deepgram-sagemaker', 'flux-sagemaker'])(
    'of pipecat: %s',
    async (client) => {
      const heard = await told(pythonHomes.pipecat, 'pipecat_services.py', client);
      expect(kindsOf(heard)).toEqual(INTERIMS);
      expectWhole(finalOf(heard), 'ferry');
    },
  );

  it('a wrong secret is told', async () => {
    const refused = [{ kind: 'error', text: expect.stringContaining('InvalidSignatureException') }];
    expect(await told(pythonHomes.sagemaker, 'sagemaker_clients.py', 'aws', 'wrong')).toEqual(refused);
    if (hasPipecat) {
      const heard = await told(pythonHomes.pipecat, 'pipecat_services.py', 'nvidia-sagemaker', 'wrong');
      expect(heard).toEqual(refused);
    }
  });
});
