/** nginx and Caddy in front of a server, below a path, with the lines that docs/network.md gives to people. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const guide = new URL('../docs/network.md', import.meta.url);
/** Debian has nginx where only root looks. */
const PATH = `${process.env['PATH']}:/usr/sbin`;

/** What a proxy is started with. */
interface Site {
  /** Where it listens, on loopback. */
  readonly port: number;
  /** Where the server behind it listens. */
  readonly serverPort: number;
  /** Who may pass; undefined: everybody. */
  readonly user?: { readonly name: string; readonly password: string } | undefined;
  /** The only one it writes to. */
  readonly folder: string;
}

/** A program that people put in front of a server. */
interface Program {
  readonly name: string;
  /** Debian's package. */
  readonly package: string;
  /** Prints its version. */
  readonly version: readonly string[];
  /** Writes its configuration. Returns the arguments that run it in the foreground. */
  readonly configure: (site: Site) => Promise<readonly string[]>;
}

/** The lines for it in the guide. */
async function lines(language: string): Promise<string> {
  const found = new RegExp(`\`\`\`${language}\n([^\`]*)\`\`\``).exec(await readFile(guide, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`docs/network.md has no lines for ${language}`);
  return found;
}

const nginx: Program = {
  name: 'nginx',
  package: 'nginx-light',
  version: ['-v'],
  configure: async ({ folder, port, serverPort, user }) => {
    const guided = await lines('nginx');
    const at = guided.indexOf('location ');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    if (user !== undefined) await writeFile(join(folder, 'users'), `${user.name}:{PLAIN}${user.password}\n`);
    const guard =
      user === undefined ? '' : `auth_basic "stt"; auth_basic_user_file ${join(folder, 'users')};`;
    const config = `
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(' ')}
  ${guided.slice(0, at)}
  server {
    listen 127.0.0.1:${port};
    ${guard}
    ${guided.slice(at).replace('127.0.0.1:8000', `127.0.0.1:${serverPort}`)}
  }
}
`;
    await writeFile(join(folder, 'nginx.conf'), config);
    return ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'];
  },
};

const caddy: Program = {
  name: 'caddy',
  package: 'caddy',
  version: ['version'],
  configure: async ({ folder, port, serverPort, user }) => {
    const guided = await lines('caddy');
    let guard = '';
    if (user !== undefined) {
      const args = ['hash-password', '--plaintext', user.password];
      const hash = spawnSync('caddy', args, { env: { PATH, HOME: folder }, encoding: 'utf8' }).stdout.trim();
      guard = `basicauth {\n${user.name} ${hash}\n}`;
    }
    const config = `
{
  admin off
  auto_https off
  grace_period 10ms
  storage file_system ${folder}
}
${guided
  .replace('stt.example.com {', `http://localhost:${port} {\nbind 127.0.0.1\n${guard}`)
  .replace('127.0.0.1:8000', `127.0.0.1:${serverPort}`)}`;
    await writeFile(join(folder, 'Caddyfile'), config);
    return ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
  },
};

/** Those in the guide, with their names. */
export const proxies = [nginx, caddy].map((program) => [program.name, program] as const);

/** Why it cannot be started here; undefined: it can. */
export function whyNoProxy({ name, package: debian, version }: Program): string | undefined {
  const isThere = spawnSync(name, [...version], { env: { PATH } }).status === 0;
  return isThere ? undefined : `there is no ${name} (${debian})`;
}

/** A running one that shows a server below `/stt/`. */
export class ReverseProxy {
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

  /** In front of the server at that port of loopback; for that user alone, if one is given. */
  static async start(program: Program, serverPort: number, user?: Site['user']): Promise<ReverseProxy> {
    const folder = await mkdtemp(join(tmpdir(), `kikitori-${program.name}-`));
    const port = await freePort();
    const args = await program.configure({ folder, port, serverPort, user });
    const env = { PATH, HOME: folder };
    const child = spawn(program.name, [...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-10_000);
    });
    const proxy = new ReverseProxy(`http://localhost:${port}`, folder, child);
    while (!(await isListening(port))) {
      if (child.exitCode === null) continue;
      await rm(folder, { recursive: true });
      throw new Error(`${program.name}: ${complaint}`);
    }
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    await rm(this.#folder, { recursive: true });
  }
}

/** They cannot take any port that is free and say which. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on TCP.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function isListening(port: number): Promise<boolean> {
  return await fetch(`http://localhost:${port}/`).then(
    () => true,
    () => false,
  );
}
