import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { Proxies, proxyAgents } from '../../../transport/src/proxy/index.js';
import { ProxyServer, type ProxyServerOptions } from '../../../transport/test/proxy/proxy-server.js';
import { toHubError } from '../../src/artefacts/hub-error.js';
import { Aws } from '../../src/aws/aws.js';

const IDENTITY = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;

/** What AWS answers to a question that goes through a proxy. */
async function askThrough(options: ProxyServerOptions): Promise<string | undefined> {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
  await using proxy = await ProxyServer.start(options);
  const aws = new Aws({
    region: 'us-east-1',
    endpointUrl: 'http://sts.test',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' },
    agents: proxyAgents(new Proxies({ HTTP_PROXY: proxy.url })),
  });
  try {
    const { signal } = new AbortController();
    return (await aws.ask('sts', (sdk) => new sdk.GetCallerIdentityCommand({}), signal)).Account;
  } finally {
    aws.close();
    vi.unstubAllEnvs();
  }
}

describe('AWS behind a proxy', () => {
  it('is asked through it', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/xml').end(IDENTITY);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // It listens on TCP.
    const { port } = server.address() as AddressInfo;
    expect(await askThrough({ names: { 'sts.test': port } })).toBe('123456789012');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is not reached where the proxy refuses, and the sentence is the proxy’s', async () => {
    const failing = askThrough({ status: 407 });
    await expect(failing).rejects.toMatchObject({
      code: 'aws_unreachable',
      serviceText: undefined,
      message: expect.stringMatching(/HTTP_PROXY .* \(HTTP 407\); write a name and a password/),
    });
    const { cause } = (await failing.catch((error: Error) => error)) as Error;
    expect(toHubError(new TypeError('fetch failed', { cause }))).toMatchObject({
      code: 'hub_unreachable',
      message: expect.stringContaining('HTTP 407'),
    });
  });
});
