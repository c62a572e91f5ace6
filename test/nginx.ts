/** nginx in front of a server, below a path, with the lines that docs/network.md gives to people. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const guide = new URL('../docs/network.md', import.meta.url);
/** Debian has it where only root looks. */
const PATH = `${process.env['PATH']}:/usr/sbin`;

/** Why no nginx can be started here; undefined: one can. */
export const whyNoNginx =
  spawnSync('nginx', ['-v'], { env: { PATH } }).status === 0 ? undefined : 'there is no nginx (nginx-light)';

/** A running nginx that shows a server below `/stt/`. */
export class Nginx {
  readonly origin: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(origin: string, folder: string, child: ChildProcess) {
    this.origin = origin;
    this.#folder = folder;
    this.#child = child;
  }

  /** The page of the server. */
  get url(): string {
    return `${this.origin}/stt/`;
  }

  /** In front of the server at that port of loopback. `extra` stands beside the location: more of nginx's own lines. */
  static async start(serverPort: number, extra = ''): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), 'kikitori-nginx-'));
    const port = await freePort();
    await writeFile(join(folder, 'nginx.conf'), await configOf({ port, serverPort, extra }));
    const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'];
    const child = spawn('nginx', args, { env: { PATH }, stdio: 'ignore' });
    const nginx = new Nginx(`http://localhost:${port}`, folder, child);
    while (!(await isListening(port))) {
      if (child.exitCode !== null) throw new Error(await nginx.log());
    }
    return nginx;
  }

  /** What it complained of. */
  async log(): Promise<string> {
    return await readFile(join(this.#folder, 'error.log'), 'utf8').catch(() => '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    await rm(this.#folder, { recursive: true });
  }
}

/** One process, which writes below its folder only. */
async function configOf(options: { port: number; serverPort: number; extra: string }): Promise<string> {
  const { port, serverPort, extra } = options;
  const [, lines = ''] = /```nginx\n([^`]*)```/.exec(await readFile(guide, 'utf8')) ?? [];
  const at = lines.indexOf('location ');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(' ')}
  ${lines.slice(0, at)}
  server {
    listen 127.0.0.1:${port};
    ${extra}
    ${lines.slice(at).replace('127.0.0.1:8000', `127.0.0.1:${serverPort}`)}
  }
}
`;
}

/** nginx cannot take any port that is free and say which. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on TCP.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function isListening(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}
