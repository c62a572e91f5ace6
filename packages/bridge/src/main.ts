/**
 * The stand-alone command: what the container runs, built into one file. Log lines go to stderr, metrics to stdout beside the
 * model server's own output.
 */
import { setFlagsFromString } from 'node:v8';
import { BRIDGE_ERRORS, BridgeError } from './errors.js';
import { createLineLogger } from './logger.js';
import { runBridge } from './run.js';
import { BRIDGE_USAGE, parseBridgeSettings } from './settings.js';

// Messages leave little garbage. Left alone, V8 would make room for what opening some hundred sessions leaves and never
// give it back: as much again as the sessions themselves.
setFlagsFromString('--max-semi-space-size=1');
setFlagsFromString('--semi-space-growth-factor=1');

async function main(argv: readonly string[]): Promise<number> {
  const ownFlags = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
  // Whoever reads the log may go; the sessions go on.
  process.stderr.on('error', () => undefined);
  if (ownFlags.some((word) => word === '--help' || word === '-h')) {
    return await new Promise((resolve) => {
      process.stdout.on('error', () => undefined);
      process.stdout.write(BRIDGE_USAGE, (error) => resolve(error ? 1 : 0));
    });
  }
  const stopper = new AbortController();
  const urgentStopper = new AbortController();
  const stop = (): void => (stopper.signal.aborted ? urgentStopper : stopper).abort();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const settings = parseBridgeSettings(argv, process.env);
  const logger = createLineLogger(settings.logLevel, (line) => process.stderr.write(line));
  let isToldOfOutput = false;
  process.stdout.on('error', () => {
    if (!isToldOfOutput) logger.error('metrics cannot be written; sessions go on');
    isToldOfOutput = true;
  });
  return await runBridge(settings, {
    logger,
    writeOut: (text) => process.stdout.write(text),
    signal: stopper.signal,
    urgentSignal: urgentStopper.signal,
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BridgeError)) throw error;
  process.stderr.write(`kikitori-bridge: ${error.message}\n`);
  process.exitCode = BRIDGE_ERRORS[error.code].exitCode;
}
