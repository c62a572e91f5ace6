import { isLoopback } from '@kikitori/transport/doors';
import { BridgeError } from '../errors.js';
import { type Environment, modelOf, variablesOf } from './model-arguments.js';

/** What the command line depends on besides command and environment. */
export interface ModelCommandOptions {
  /** Where the bridge will look for the model server: `ws://127.0.0.1:8081/v1/realtime`. */
  readonly upstream: string;
  /** Where SageMaker puts model files. */
  readonly modelDirectory?: string;
}

/** What to run. */
export interface ModelCommand {
  readonly command: readonly [string, ...string[]];
  /** Names of variables that say something else than the command itself does, which holds. */
  readonly overruled: readonly string[];
}

/**
 * The whole command line of a model server: the command as given, then `--port`, the model, and what `SM_VLLM_*` says
 * (`variablesOf`). What the command says itself is not said again: it holds. Of `vllm serve` the model is the
 * first word, of everything else it is `--model`. vLLM would listen on every address unless it is told where: where neither
 * command nor environment does, it is told that of the upstream, if that is on this machine.
 *
 * Throws `BridgeError` `invalid_option` where the command names another port than the upstream's.
 */
export function modelServerCommand(
  [program, ...args]: readonly [string, ...string[]],
  env: Environment,
  { upstream, modelDirectory }: ModelCommandOptions,
): ModelCommand {
  const url = URL.canParse(upstream) ? new URL(upstream) : undefined;
  const port = portOf(url);
  const given = flagsOf(args);
  const form = formOf([program, ...args]);
  if (url !== undefined) checkPort(given.get('--port'), port);
  const variables = variablesOf(env);
  const overruled = [...variables].filter(([, { flag }]) => given.has(flag)).map(([name]) => name);
  const model = modelOf(env, modelDirectory);
  const isModelGiven = given.has('--model') || (form?.kind === 'serve' && isOperand(args[form.next]));
  if (isModelGiven && model?.variable !== undefined) overruled.push(model.variable);
  const named = isModelGiven ? undefined : model?.value;
  const isModelFirst = form?.kind === 'serve' && named !== undefined;
  const host = url === undefined ? '' : url.hostname.replace(/^\[|\]$/g, '');
  const isHostFree = form !== undefined && isLoopback(host) && !given.has('--host');
  const hasHost = [...variables.values()].some(({ flag }) => flag === '--host');
  return {
    command: [
      program,
      ...(isModelFirst ? [...args.slice(0, form.next), named, ...args.slice(form.next)] : args),
      ...(given.has('--port') ? [] : ['--port', String(port)]),
      ...(named === undefined || isModelFirst ? [] : ['--model', named]),
      ...(isHostFree && !hasHost ? ['--host', host] : []),
      ...[...variables].flatMap(([name, { tokens }]) => (overruled.includes(name) ? [] : tokens)),
    ],
    overruled,
  };
}

/** `next`: where in the arguments of the program the model of `vllm serve` would stand. */
type VllmForm = { readonly kind: 'serve'; readonly next: number } | { readonly kind: 'module' };

/** How vLLM's server is called, also through `env`, `standard-supervisor` and their like; undefined: it is something else. */
function formOf(words: readonly string[]): VllmForm | undefined {
  for (const [index, word] of words.entries()) {
    if (word === 'vllm.entrypoints.openai.api_server') return { kind: 'module' };
    const isCommand = word === 'vllm.entrypoints.cli.main' || word.split('/').at(-1) === 'vllm';
    // Counted without the program.
    if (isCommand && words[index + 1] === 'serve') return { kind: 'serve', next: index + 1 };
  }
  return undefined;
}

/** The flags of a command line as vLLM reads them: `_` counts as `-`, and `--no-x` speaks of `--x` too. */
function flagsOf(args: readonly string[]): ReadonlyMap<string, string> {
  const flags = new Map<string, string>();
  for (const [index, word] of args.entries()) {
    if (!word.startsWith('--')) continue;
    const at = word.indexOf('=');
    const name = (at === -1 ? word : word.slice(0, at)).replaceAll('_', '-');
    const value = at === -1 ? (args[index + 1] ?? '') : word.slice(at + 1);
    flags.set(name, value);
    if (name.startsWith('--no-')) flags.set(`--${name.slice('--no-'.length)}`, '');
  }
  return flags;
}

function isOperand(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith('-');
}

function checkPort(given: string | undefined, port: number): void {
  if (given === undefined || Number(given) === port) return;
  throw new BridgeError(
    'invalid_option',
    `The command says another --port than the upstream's ${port}; leave it out, set --upstream to where the command listens, or --exec-arguments to none.`,
  );
}

function portOf(url: URL | undefined): number {
  if (url === undefined || url.port !== '') return Number(url?.port ?? 0);
  return url.protocol === 'wss:' ? 443 : 80;
}
