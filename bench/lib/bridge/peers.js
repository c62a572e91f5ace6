/** The bridges that are compared, each as a process of its own in front of the same model server. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childrenOf } from '../processes.js';
import { buildPlain } from './plain-ways.js';

const here = dirname(fileURLToPath(import.meta.url));
const single = join(here, '..', '..', '..', 'packages', 'bridge', 'dist', 'kikitori-bridge.mjs');
export const NGINX = 'nginx';
/** As one writes it: the libraries' defaults. */
export const FASTAPI = 'FastAPI + websockets';
export const FASTAPI_UNCOMPRESSED = 'FastAPI, uncompressed';
const PATH = '/invocations-bidirectional-stream';
const START_MS_MAX = 20_000;

/** Starts `command` and answers it with the line that it prints first, where it prints one. */
function start(command, args, { printsPort = false, isLoud = true } = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', printsPort ? 'pipe' : 'ignore', isLoud ? 'inherit' : 'ignore'],
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await gone;
    clearTimeout(timer);
  };
  const port = printsPort
    ? new Promise((resolve, reject) => {
        child.stdout.once('data', (line) => resolve(Number(line)));
        child.once('exit', () => reject(new Error(`${command} ended`)));
      })
    : undefined;
  return { child, stop, port };
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function untilListening(port) {
  const deadline = Date.now() + START_MS_MAX;
  for (;;) {
    // Any answer will do: somebody listens.
    const isUp = await fetch(`http://127.0.0.1:${port}/ping`).then(
      () => true,
      () => false,
    );
    if (isUp) return;
    if (Date.now() > deadline) throw new Error('it does not listen');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const url = (port) => `ws://127.0.0.1:${port}${PATH}`;

/** The model server; `file`: one that prints its port. */
export async function startUpstream(file = join(here, 'upstream.js')) {
  const { child, stop, port } = start(process.execPath, [file], { printsPort: true });
  return { pid: child.pid, stop, url: `ws://127.0.0.1:${await port}/v1/realtime` };
}

/** Our bridge. `file`: its single file; `node`: what runs it. */
export async function startOurs(upstream, file = single, node = process.execPath) {
  const port = await freePort();
  const flags = [
    '--port',
    String(port),
    '--host',
    '127.0.0.1',
    '--upstream',
    upstream,
    '--log-level',
    'error',
  ];
  const { child, stop } = start(node, [file, ...flags, '--drain-seconds', '0']);
  await untilListening(port);
  return { pid: child.pid, stop, url: url(port) };
}

/** A relay of the `ws` package. */
export async function startWsRelay(upstream) {
  const { child, stop, port } = start(process.execPath, [join(here, 'ws-relay.js'), upstream], {
    printsPort: true,
  });
  return { pid: child.pid, stop, url: url(await port) };
}

async function startNginx(upstream) {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const { host, pathname } = new URL(upstream);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path t-${name};`,
  );
  writeFileSync(
    join(directory, 'nginx.conf'),
    `worker_processes 1; daemon off; pid nginx.pid; error_log stderr error;
     events { worker_connections 8192; }
     http { access_log off; ${temporary.join(' ')}
       server { listen 127.0.0.1:${port} backlog=1024; tcp_nodelay on;
         location = /ping { return 200; }
         location = ${PATH} { proxy_pass http://${host}${pathname}; proxy_http_version 1.1;
           proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
           proxy_read_timeout 3600s; proxy_send_timeout 3600s; } } }\n`,
  );
  const { child, stop } = start('nginx', ['-p', directory, '-c', 'nginx.conf']);
  await untilListening(port);
  const [worker] = childrenOf(child.pid);
  return {
    // The master does nothing; its one worker does everything.
    pid: worker,
    url: url(port),
    stop: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const PYTHON = '/usr/bin/python3';

async function startFastApi(upstream, ...words) {
  const port = await freePort();
  const { child, stop } = start(PYTHON, [join(here, 'fastapi_bridge.py'), upstream, String(port), ...words], {
    // It tells of every session that ends while something is on its way.
    isLoud: false,
  });
  await untilListening(port);
  return { pid: child.pid, stop, url: url(port) };
}

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const whyNoFastApi = () =>
  works(PYTHON, ['-c', 'import fastapi, uvicorn, websockets'])
    ? undefined
    : `${PYTHON} has no fastapi, uvicorn and websockets`;

/** Ours first; `missing` says why one cannot take part. */
export const PEERS = [
  { name: 'kikitori-bridge', start: startOurs, missing: () => undefined },
  {
    name: NGINX,
    start: startNginx,
    missing: () => (works('nginx', ['-v']) ? undefined : 'nginx is not installed'),
  },
  { name: 'ws to ws', start: startWsRelay, missing: () => undefined },
  { name: FASTAPI, start: (upstream) => startFastApi(upstream), missing: whyNoFastApi },
  {
    name: FASTAPI_UNCOMPRESSED,
    start: (upstream) => startFastApi(upstream, 'uncompressed'),
    missing: whyNoFastApi,
  },
];

/** Our bridge with and without what is out of the ordinary in it, on each of these builds of Node. */
export function waysOn(nodes) {
  const present = () => undefined;
  return nodes.flatMap((node) => {
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() || node;
    const plain = (name, replaced) => ({
      name: `${version}, ${name}`,
      start: async (upstream) => startOurs(upstream, await buildPlain(replaced), node),
      missing: present,
    });
    return [
      {
        name: `${version}, as it is`,
        start: (upstream) => startOurs(upstream, single, node),
        missing: present,
      },
      plain('reads as documented', ['adopt']),
      plain('memory for each write', ['slab']),
      plain('neither', ['adopt', 'slab']),
    ];
  });
}
