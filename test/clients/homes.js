/** Where clients lie that are too large for everybody's `npm ci`, shared by what installs them and by what runs them. */
import { join } from 'node:path';

const home = process.env.KIKITORI_CLIENTS_HOME || join(import.meta.dirname, '..', '..', '.cache', 'clients');

/** Packages of npm, in a folder of their own. */
export const nodeClientsHome = join(home, 'node');
/** Packages of PyPI, in a virtual environment. */
export const pythonClientsHome = join(home, 'python');
export const clientsPython = join(pythonClientsHome, 'bin', 'python');
