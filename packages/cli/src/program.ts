import { readFileSync } from 'node:fs';
import { CommanderError, Option, Command as Parser } from 'commander';
import type { Command, CommandGroup } from './command.js';
import type { Context } from './context.js';
import { CliError, closedOutput, endingOf } from './errors.js';
import { type OptionSpec, readOptions } from './options.js';
import { beside } from './terminal/beside.js';

/** A command by name: its line in the help, and how to load the rest of it. */
export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<Command | CommandGroup>;
}

/** Every command of the program. */
export type CommandTable = Readonly<Record<string, CommandEntry>>;

/** Descriptions are broken between words down to this width; commander's own 40 leaves a narrow terminal to break them anywhere. */
const HELP_WRAP_CELLS_MIN = 16;

type Invocation = () => Promise<number>;

/**
 * Parses a command line, loads the one command it names, runs it, and says on stderr in one sentence why it failed
 * if it did. `words` are without the interpreter and the script. Resolves with the exit code; never rejects.
 */
export async function runProgram(
  words: readonly string[],
  table: CommandTable,
  context: Context,
): Promise<number> {
  try {
    const invocation = await parse(words, table, context);
    const exitCode = invocation === undefined ? 0 : await invocation();
    // Whoever was told to stop waits for no slow reader.
    if (!context.signal.aborted) await context.stdout.written();
    throwIfUnwritten(context.signal);
    return exitCode;
  } catch (error) {
    return fail(error, context);
  }
}

/** A command that did its work and could not say so has failed. */
function throwIfUnwritten({ reason }: AbortSignal): void {
  if (isUnwritten(reason)) throw reason;
}

function isUnwritten(error: unknown): boolean {
  return error instanceof CliError && error.code === 'output_failed';
}

function fail(error: unknown, context: Context): number {
  // Ctrl-C wins over whatever fell over because of it.
  const isOwn = !context.signal.aborted || isUnwritten(error);
  const ending = endingOf(isOwn ? error : (context.signal.reason ?? error));
  if (ending.sentence !== '') {
    context.stderr.write(`${beside(0, `kikitori: ${ending.sentence}`, context.stderr)}\n`);
  }
  if (context.env.KIKITORI_DEBUG === '1' && error instanceof Error) {
    context.stderr.write(`${error.stack ?? error.message}\n`);
    if (error.cause instanceof Error) context.stderr.write(`caused by ${error.cause.stack ?? ''}\n`);
  }
  return ending.exitCode;
}

async function parse(
  words: readonly string[],
  table: CommandTable,
  context: Context,
): Promise<Invocation | undefined> {
  const chosen = words[0] === 'help' ? words[1] : words[0];
  let invocation: Invocation | undefined;
  const root = new Parser('kikitori')
    .description('Real-time speech to text: words on the screen while they are being spoken.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help');
  quiet(root, context);
  for (const [name, entry] of Object.entries(table)) {
    const parser = root.command(name).description(entry.summary).helpOption('-h, --help', 'print this help');
    if (name !== chosen) continue;
    const loaded = await entry.load();
    const commands = 'commands' in loaded ? loaded.commands : undefined;
    if (commands === undefined) {
      describe(parser, loaded as Command, context, (next) => {
        invocation = next;
      });
      continue;
    }
    for (const [childName, child] of Object.entries(commands)) {
      const childParser = parser
        .command(childName)
        .description(child.summary)
        .helpOption('-h, --help', 'print this help');
      describe(childParser, child, context, (next) => {
        invocation = next;
      });
    }
  }
  try {
    await root.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return undefined;
    if (error.code === 'commander.help') {
      // `kikitori help` asks for the help; `kikitori` and `kikitori models` alone do not say what to do.
      return words[0] === 'help' ? undefined : async () => 2;
    }
    throw new CliError(
      'usage',
      usageSentence(error.message, chosen !== undefined && chosen in table ? chosen : ''),
    );
  }
  return invocation;
}

/** Teaches commander one command, and keeps what to run until parsing is over. */
function describe(
  parser: Parser,
  command: Command,
  context: Context,
  keep: (invocation: Invocation) => void,
): void {
  for (const operand of command.operands) {
    const name = operand.isList === true ? `${operand.name}...` : operand.name;
    parser.argument(operand.required ? `<${name}>` : `[${name}]`, operand.description);
  }
  for (const spec of Object.values(command.options)) {
    parser.addOption(new Option(spec.flags, descriptionOf(spec)));
  }
  if (command.examples.length > 0) {
    parser.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`);
  }
  parser.addHelpText(
    'after',
    '\nEvery flag can also be set as KIKITORI_<FLAG>, e.g. KIKITORI_MODEL=tiny; flags win.',
  );
  parser.action(() => {
    const given = (spec: OptionSpec<unknown>): string | boolean | undefined =>
      parser.getOptionValue(new Option(spec.flags).attributeName());
    const operands = [...parser.args];
    const options = readOptions(command.options, given, context.env);
    keep(async () => {
      assertFolder();
      if (command.isForOutput === true && context.stdout.reader === 'closed') throw closedOutput();
      return await command.run({ operands, options }, context);
    });
  });
}

/** Node starts no thread in a folder that was removed, and says so of none of them. */
function assertFolder(): void {
  try {
    process.cwd();
  } catch (cause) {
    throw new CliError(
      'service_failed',
      'The folder that this was started in is gone; change to another one, and run it again.',
      { cause },
    );
  }
}

function descriptionOf(spec: OptionSpec<unknown>): string {
  return spec.fallbackText === undefined
    ? spec.description
    : `${spec.description} (default: ${spec.fallbackText})`;
}

/** Commander writes and exits by itself unless told otherwise; settings reach subcommands made afterwards. */
function quiet(parser: Parser, context: Context): void {
  parser.configureHelp({ minWidthToWrap: HELP_WRAP_CELLS_MIN });
  parser.exitOverride().configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
    getOutHelpWidth: () => context.stdout.columns(),
    getErrHelpWidth: () => context.stderr.columns(),
    getOutHasColors: () => false,
    getErrHasColors: () => false,
    outputError: () => {
      // Said once, by `fail`.
    },
  });
}

/** `error: unknown option '--x'\n(Did you mean --y?)` → one sentence with the next step. */
function usageSentence(message: string, chosen: string): string {
  const plain = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .trimEnd()
    .replace(/\.$/, '');
  const command = chosen === '' ? 'kikitori' : `kikitori ${chosen}`;
  return `${plain}; "${command} --help" lists what there is.`;
}

/** The version in our `package.json`, which lies one folder above both `src` and `dist`. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const found =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return String(found);
}
