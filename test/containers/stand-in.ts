/**
 * Base images made of what is on this machine, so that nothing has to be pulled: one for `node:20-slim`, one for vLLM's
 * container. They hold Node, a shell, the few programs that the Dockerfiles call, and the libraries these need.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Buildah } from './buildah.js';

const run = promisify(execFile);
const onnxRuntime = join(
  import.meta.dirname,
  `../../node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`,
);

/** Node and npm where Docker's official image has them. */
export async function buildNodeImage(buildah: Buildah, dir: string, tag: string): Promise<void> {
  await layBase(dir, ['env', 'mkdir', 'mv', 'rm']);
  await install(dir, process.execPath, '/usr/local/bin/node');
  await writeFile(join(dir, '/usr/local/LICENSE'), "Node's licence, and those of its parts.\n");
  const { stdout } = await run('npm', ['root', '--global']);
  const npm = '/usr/local/lib/node_modules/npm';
  await cp(join(stdout.trim(), 'npm'), join(dir, npm), { recursive: true });
  await symlink(`${npm}/bin/npm-cli.js`, join(dir, '/usr/local/bin/npm'));
  await buildFrom(buildah, dir, tag, { base: 'scratch', path: '/usr/local/bin:/usr/bin:/bin' });
}

/**
 * A `python3` that runs our server where vLLM's is asked for; see model-server-stand-in.mjs. `node` is the image with Node,
 * which `python3` needs and nobody else finds.
 */
export async function buildVllmImage(
  buildah: Buildah,
  dir: string,
  tag: string,
  node: string,
): Promise<void> {
  for (const folder of ['opt/stand-in', 'usr/bin']) await mkdir(join(dir, folder), { recursive: true });
  const python = join(dir, 'usr/bin/python3');
  await copyFile(join(import.meta.dirname, 'model-server-stand-in.mjs'), python);
  await chmod(python, 0o755);
  await buildFrom(buildah, dir, tag, { base: node, path: '/usr/bin:/bin' });
}

async function buildFrom(
  buildah: Buildah,
  dir: string,
  tag: string,
  { base, path }: { readonly base: string; readonly path: string },
): Promise<void> {
  const file = `${dir}.Dockerfile`;
  await writeFile(file, `FROM ${base}\nCOPY . /\nENV PATH=${path}\n`);
  await buildah.build({ tag, dockerfile: file, context: dir });
}

async function layBase(dir: string, programs: readonly string[]): Promise<void> {
  for (const folder of ['etc', 'root', 'tmp', 'usr/bin']) await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await install(dir, await realpath('/bin/sh'), '/bin/sh');
  await installLibrariesOf(dir, onnxRuntime);
  for (const program of programs) {
    await install(dir, await realpath(join('/usr/bin', program)), `/usr/bin/${program}`);
  }
}

/** Copies a program to a place, and the libraries that it is linked to. */
async function install(dir: string, program: string, target: string): Promise<void> {
  await copyInto(dir, program, target);
  await installLibrariesOf(dir, program);
}

/** Copies what the dynamic linker would load for a program, to where it would look for it. */
async function installLibrariesOf(dir: string, program: string): Promise<void> {
  const { stdout } = await run('ldd', [program]);
  for (const [, path = ''] of stdout.matchAll(/(?:=> |^\s+)(\/\S+)/gm)) await copyInto(dir, path, path);
}

async function copyInto(dir: string, from: string, to: string): Promise<void> {
  await mkdir(dirname(join(dir, to)), { recursive: true });
  await copyFile(from, join(dir, to));
}
