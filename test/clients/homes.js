/** Where clients lie that are too large for everybody's `npm ci`, shared by what installs them and by what runs them. */
import { join } from 'node:path';

const home = process.env.KIKITORI_CLIENTS_HOME || join(import.meta.dirname, '..', '..', '.cache', 'clients');

/** Packages of npm, in a folder of their own. */
export const nodeClientsHome = join(home, 'node');
/** Packages of PyPI, in virtual environments: each wants other versions of what they share. */
export const pythonHomes = {
  sdks: join(home, 'python-sdks'),
  livekit: join(home, 'python-livekit'),
  pipecat: join(home, 'python-pipecat'),
  sagemaker: join(home, 'python-sagemaker'),
};

/** The Python of one of them. */
export function pythonOf(pythonHome) {
  return join(pythonHome, 'bin', 'python');
}
