/**
 * The bridge without what is out of the ordinary in it, to see what that brings: reads in the documented way
 * (`adopt.ts`), and memory of its own for each write (`slab.ts`).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'packages', 'bridge', 'dist');

const PLAIN = {
  adopt: 'export const adopt = () => undefined;',
  slab: `export class Slab {
    #parts = [];
    gatheredBytes = 0;
    gather(source, from = 0, to = source.length) {
      this.#parts.push(Buffer.from(source.subarray(from, to)));
      this.gatheredBytes += to - from;
    }
    take() {
      const bytes = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
      this.#parts = [];
      this.gatheredBytes = 0;
      return bytes;
    }
    flushTo(wire) {
      if (this.gatheredBytes > 0) wire.write(this.take());
    }
  }`,
};

let directory;

/** Gone when this process ends. */
function folder() {
  if (directory === undefined) {
    directory = mkdtempSync(join(tmpdir(), 'bench-bridge-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  }
  return directory;
}

/**
 * @param {Array<keyof typeof PLAIN>} names What is replaced.
 * @returns {Promise<string>} The file to run.
 */
export async function buildPlain(names) {
  const outfile = join(folder(), `${names.join('-')}.mjs`);
  const replaced = new Set();
  await build({
    entryPoints: [join(dist, 'main.js')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
    plugins: [
      {
        name: 'plain ways',
        setup({ onLoad }) {
          for (const name of names) {
            onLoad({ filter: new RegExp(`/wire/${name}\\.js$`) }, () => {
              replaced.add(name);
              return { contents: PLAIN[name] };
            });
          }
        },
      },
    ],
  });
  if (replaced.size !== names.length) throw new Error(`nothing to replace for ${names.join(', ')}`);
  return outfile;
}
