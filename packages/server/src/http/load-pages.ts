import { readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { readBoundedFile } from '../bounded-file.js';
import { ServerError } from '../errors.js';
import { PAGES_LIMITS } from '../limits.js';
import { createPages, missingPages, type PageFile, type Pages } from './pages.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wav': 'audio/wav',
  '.flac': 'audio/flac',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
};

const NOT_BUILT = 'The pages are not built here. Run "npm run build", then start the server again.';

/**
 * Reads the pages of a folder, once: what changes there later is not seen. `index.html` is served at `/`, `name.html` at
 * `/name`, every other file at its own path; source maps and files of unknown kinds are left out. Where the folder or
 * its `index.html` is not there, the pages say so to whoever asks for one.
 *
 * @throws ServerError `invalid_option` for a folder with too many or too large files, or one that cannot be read
 */
export async function loadPages(folder: string): Promise<Pages> {
  const names = await listFiles(folder);
  if (!names.includes('index.html')) return missingPages(NOT_BUILT);
  const served = names.filter((name) => TYPES[extname(name)] !== undefined);
  if (served.length > PAGES_LIMITS.filesMax) {
    throw new ServerError('invalid_option', 'The folder of the pages holds too many files.');
  }
  const files: PageFile[] = [];
  let leftBytes: number = PAGES_LIMITS.totalBytesMax;
  for (const name of served) {
    const bytes = await readBoundedFile(join(folder, name), leftBytes);
    if (bytes === undefined) {
      throw new ServerError('invalid_option', 'The folder of the pages holds files that are too large.');
    }
    leftBytes -= bytes.length;
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    files.push({ path: pathOfFile(name), type, bytes });
  }
  return await createPages(files);
}

async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new ServerError('invalid_option', 'The folder of the pages cannot be read.', { cause: error });
  }
}

function pathOfFile(name: string): string {
  const page = /^([\w-]+)\.html$/.exec(name)?.[1];
  if (page === 'index') return '/';
  return page === undefined ? `/${name}` : `/${page}`;
}
