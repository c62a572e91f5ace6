import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder of the built pages: `index.html`, and every script and style that the pages name, with a hash of the content in
 * the file's name. Static files, for any server; the build makes them (`npm run build`).
 */
export const PAGES_FOLDER: string = join(dirname(fileURLToPath(import.meta.url)), '..', 'pages');
