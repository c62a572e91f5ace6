import { describe, expect, it } from 'vitest';
import { type Command, defineCommand } from '../src/command.js';
import { CliError } from '../src/errors.js';
import { choice, flag, integer, text } from '../src/options.js';
import { type CommandTable, runProgram } from '../src/program.js';
import { memoryContext } from './memory-context.js';

interface Seen {
  operands: readonly string[];
  options: Readonly<Record<string, unknown>>;
}

function tableWith(run: (seen: Seen) => Promise<number>): { table: CommandTable; loaded: string[] } {
  const loaded: string[] = [];
  const options = {
    port: integer({ flags: '--port <number>', description: 'port', min: 0, max: 65_535, fallback: 8000 }),
    model: text({ flags: '--model <name>', description: 'model', fallback: undefined }),
    pace: choice({ flags: '--pace <pace>', description: 'pace', choices: ['max', '2x'], fallback: 'max' }),
    insecure: flag({ flags: '--insecure', description: 'no key' }),
  };
  const echo: Command = defineCommand({
    summary: 'says what it was given',
    operands: [{ name: 'file', description: 'what to read', required: true }],
    options,
    examples: ['kikitori echo a.wav'],
    run: async (input) => await run(input),
  });
  const entry = (name: string, command: Command) => ({
    summary: command.summary,
    load: async () => {
      loaded.push(name);
      return command;
    },
  });
  const list = { ...echo, operands: [], summary: 'lists' };
  return {
    loaded,
    table: {
      echo: entry('echo', echo),
      other: entry('other', echo),
      group: {
        summary: 'has more below',
        load: async () => ({ summary: 'has more below', commands: { list } }),
      },
    },
  };
}

async function runWords(words: string[], env: Record<string, string> = {}) {
  const seen: Seen[] = [];
  const { table, loaded } = tableWith(async (one) => {
    seen.push(one);
    return 0;
  });
  const context = memoryContext({ env });
  const exitCode = await runProgram(words, table, context);
  return { exitCode, seen: seen[0], loaded, out: context.stdout.text, err: context.stderr.text };
}

describe('runProgram', () => {
  it('hands a command its operands and its defaults, and loads no other command', async () => {
    const { exitCode, seen, loaded } = await runWords(['echo', 'a.wav']);
    expect(exitCode).toBe(0);
    expect(seen?.operands).toEqual(['a.wav']);
    expect(seen?.options).toEqual({ port: 8000, model: undefined, pace: 'max', insecure: false });
    expect(loaded).toEqual(['echo']);
  });

  it('takes a lone dash as an operand', async () => {
    expect((await runWords(['echo', '-'])).seen?.operands).toEqual(['-']);
  });

  it('reads every flag from KIKITORI_* and lets the command line win', async () => {
    const env = { KIKITORI_PORT: '9000', KIKITORI_MODEL: 'tiny', KIKITORI_INSECURE: '1', KIKITORI_PACE: '' };
    const { seen } = await runWords(['echo', 'a', '--port', '9001'], env);
    expect(seen?.options).toEqual({ port: 9001, model: 'tiny', pace: 'max', insecure: true });
  });

  it.each([
    [['echo', 'a', '--port', '65536'], {}, '--port must be a whole number from 0 to 65535'],
    [['echo', 'a', '--port', '1.5'], {}, '--port must be a whole number'],
    [['echo', 'a'], { KIKITORI_PORT: 'x' }, 'KIKITORI_PORT must be a whole number'],
    [['echo', 'a', '--pace', '3x'], {}, '--pace must be one of: max, 2x'],
    [['echo', 'a'], { KIKITORI_INSECURE: 'maybe' }, 'KIKITORI_INSECURE must be 1 or 0'],
    [['echo', 'a', '--model', ''], {}, '--model must not be empty'],
    [['echo'], {}, "missing required argument 'file'"],
    [['echo', 'a', 'b'], {}, 'too many arguments'],
    [['echo', 'a', '--prot', '1'], {}, "unknown option '--prot' (Did you mean --port?)"],
    [['ecko'], {}, "unknown command 'ecko' (Did you mean echo?)"],
    [['group', 'lst'], {}, "unknown command 'lst' (Did you mean list?)"],
  ])('answers %j with 2 and one sentence', async (words, env, sentence) => {
    const { exitCode, err, out, seen } = await runWords(words, env);
    expect(exitCode).toBe(2);
    expect(err).toMatch(/^kikitori: [^\n]+\.\n$/);
    expect(err).toContain(sentence);
    expect(out).toBe('');
    expect(seen).toBeUndefined();
  });

  it('prints help on stdout when asked, with defaults, examples and variables', async () => {
    const { exitCode, out, err } = await runWords(['echo', '--help']);
    expect(exitCode).toBe(0);
    expect(out).toContain('--port <number>');
    expect(out).toContain('(default: 8000)');
    expect(out).toContain('kikitori echo a.wav');
    expect(out).toContain('KIKITORI_');
    expect(err).toBe('');
    expect((await runWords(['help', 'echo'])).out).toBe(out);
  });

  it('lists the commands without loading any, and ends with 2 when none was named', async () => {
    const asked = await runWords(['--help']);
    expect(asked.exitCode).toBe(0);
    expect(asked.out).toContain('has more below');
    expect(asked.loaded).toEqual([]);
    const bare = await runWords([]);
    expect(bare.exitCode).toBe(2);
    expect(bare.err).toContain('has more below');
    expect((await runWords(['group'])).exitCode).toBe(2);
  });

  it('prints its version', async () => {
    expect((await runWords(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [
      new CliError('service_failed', 'The server is away; start it.'),
      1,
      'kikitori: The server is away; start it.\n',
    ],
    [new CliError('bad_input', 'Give a file.'), 2, 'kikitori: Give a file.\n'],
    [new CliError('output_closed', 'x'), 0, ''],
    [new TypeError('boom'), 1, 'kikitori: Unexpected: boom (set KIKITORI_DEBUG=1 to see where).\n'],
  ])('turns %o into an exit code and one sentence', async (error, exitCode, err) => {
    const { table } = tableWith(() => Promise.reject(error));
    const context = memoryContext();
    expect(await runProgram(['echo', 'a'], table, context)).toBe(exitCode);
    expect(context.stderr.text).toBe(err);
  });

  it.each([
    ['output_failed', 1, 'kikitori: Nothing can be written.\n'],
    ['output_closed', 0, ''],
  ] as const)(
    'waits until the output was taken, and ends with %s when it was not',
    async (code, exitCode, err) => {
      const context = memoryContext();
      context.breakStdout(code);
      const { table } = tableWith(async () => 0);
      expect(await runProgram(['echo', 'a'], table, context)).toBe(exitCode);
      expect(context.stderr.text).toBe(err);
      expect(await runProgram(['--version'], table, memoryContextBroken(code))).toBe(exitCode);
    },
  );

  it('says that the output was lost also when the command made the best of being told to end', async () => {
    const context = memoryContext();
    context.breakStdout('output_failed');
    const { table } = tableWith(async () => {
      await context.stdout.written();
      return 0;
    });
    expect(await runProgram(['echo', 'a'], table, context)).toBe(1);
  });

  it('calls it interrupted when something fell over because of Ctrl-C', async () => {
    const context = memoryContext();
    const { table } = tableWith(async () => {
      context.interrupt();
      throw new Error('the socket closed');
    });
    expect(await runProgram(['echo', 'a'], table, context)).toBe(130);
    expect(context.stderr.text).toBe('');
  });
});

function memoryContextBroken(code: 'output_closed' | 'output_failed') {
  const context = memoryContext();
  context.breakStdout(code);
  return context;
}
