/**
 * The published builds of ONNX Runtime for Linux and macOS (since 1.29) report to their maker: as soon as a model is
 * loaded they keep an id of the machine and a database of events in the user's cache folder, and send both. One switch
 * turns all of it off, for the life of the process, and it is read from the environment of the process itself: what a
 * thread with an environment of its own sets there does not count.
 */
import { isMainThread } from 'node:worker_threads';
import { EngineError } from '@kikitori/engine';

const SWITCH = 'ORT_DISABLE_TELEMETRY';

/**
 * Switches the runtime's reports off, whatever the environment said. To be called before the runtime is loaded, and in
 * the thread that starts threads which load it.
 *
 * @throws EngineError `engine_internal` in a thread whose environment is not that of the process, where the process
 *   does not have the switch set: nothing may be loaded then
 */
export function silenceRuntime(): void {
  process.env[SWITCH] = '1';
  // Here alone it is certain that what was just set is what the runtime reads.
  if (isMainThread || processEnvironment()?.[SWITCH] === '1') return;
  throw new EngineError(
    'engine_internal',
    `ONNX Runtime would report to its maker: set process.env.${SWITCH} to "1" in the main thread before this thread loads a model, or start this thread with env: SHARE_ENV.`,
  );
}

/** What Node's declarations do not have yet. */
interface Reporter {
  /** Of this thread: no look at interfaces, no look-up of the names of open sockets' peers. */
  excludeNetwork: boolean;
  getReport(): { readonly environmentVariables?: Readonly<Record<string, string>> };
}

/** The environment as native code sees it; `process.env` of a thread is a copy. Takes some 15 ms. */
function processEnvironment(): Readonly<Record<string, string>> | undefined {
  const reporter = process.report as unknown as Reporter;
  const { excludeNetwork } = reporter;
  reporter.excludeNetwork = true;
  try {
    return reporter.getReport().environmentVariables;
  } finally {
    reporter.excludeNetwork = excludeNetwork;
  }
}
