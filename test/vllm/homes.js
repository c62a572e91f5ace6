/** Where the real vLLM is, shared by what installs it and by what starts it. */
import { join } from 'node:path';

/** What `npm run test:vllm` meets: one that dies at `max_model_len`, and one that ends the utterance there. */
export const VLLM_VERSIONS = ['0.31.0', '0.32.0'];
const NEWEST = '0.32.0';

/**
 * The folder of a version. `KIKITORI_VLLM_HOME` (default: `.cache/vllm` in the checkout) is that of the newest one; others
 * lie beside it, with their number behind its name.
 */
export function vllmHome(version) {
  const { KIKITORI_VLLM_HOME } = process.env;
  const home = KIKITORI_VLLM_HOME || join(import.meta.dirname, '..', '..', '.cache', 'vllm');
  return version === NEWEST ? home : `${home}-${version}`;
}

/** Its Python. */
export function vllmPython(version) {
  return join(vllmHome(version), 'venv', 'bin', 'python');
}
