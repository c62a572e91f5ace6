import { readFile } from 'node:fs/promises';
import { createKey, digestOf, formatKey, type KnownKey, parseKeyFile } from '@kikitori/server/doors';
import { type CommandGroup, defineCommand } from '../command.js';
import { CliError } from '../errors.js';
import { apiKeysOption } from '../options-shared.js';
import { replaceFile } from '../replaced-file.js';

const NAME = 'what the key is called: letters, digits, dots, dashes';

const add = defineCommand({
  summary: 'make a key, print it once, and put its hash into the file',
  operands: [{ name: 'name', description: NAME, required: true }],
  options: { apiKeys: apiKeysOption },
  examples: ['kikitori keys add page --api-keys keys.txt'],
  async run({ operands: [name = ''], options }, context) {
    const file = named(options.apiKeys);
    const before = await readOrEmpty(file);
    if (parseKeyFile(before).some((key) => key.name === name)) {
      throw new CliError(
        'bad_input',
        `There is a key ${name} in ${file} already; remove it first, or choose another name.`,
      );
    }
    const key = createKey();
    const line = formatKey({ name, digest: digestOf(key) });
    // Says what is wrong with a name before anything is written.
    parseName(line, name);
    // Shown first: a key that nobody has seen must not open anything.
    context.stdout.write(`${key}\n`);
    await context.stdout.written();
    if (context.signal.aborted) {
      throw new CliError('output_failed', `The key could not be shown, so it was not put into ${file}.`, {
        cause: context.signal.reason,
      });
    }
    const start = before === '' || before.endsWith('\n') ? before : `${before}\n`;
    await keep(file, { before, after: start + line });
    context.stderr.write(
      `This is shown once; ${file} holds its hash alone. Running servers take it within two seconds.\n`,
    );
    return 0;
  },
});

const list = defineCommand({
  summary: 'show the names in a key file',
  operands: [],
  options: { apiKeys: apiKeysOption },
  examples: ['kikitori keys list --api-keys keys.txt'],
  async run({ options }, context) {
    for (const { name } of await readKeys(named(options.apiKeys))) context.stdout.write(`${name}\n`);
    return 0;
  },
});

const rm = defineCommand({
  summary: 'take a key out of the file: it opens no further session',
  operands: [{ name: 'name', description: NAME, required: true }],
  options: { apiKeys: apiKeysOption },
  examples: ['kikitori keys rm page --api-keys keys.txt'],
  async run({ operands: [name = ''], options }, context) {
    const file = named(options.apiKeys);
    const keys = await readKeys(file);
    if (!keys.some((key) => key.name === name)) {
      throw new CliError(
        'bad_input',
        `There is no key ${name} in ${file}; "kikitori keys list" shows the names.`,
      );
    }
    const text = await readFile(file, 'utf8');
    const rest = text.split('\n').filter((line) => line.trim().split(/\s+/)[0] !== name);
    await keep(file, { before: text, after: rest.join('\n') });
    context.stderr.write(
      `Removed ${name}. Its sessions that run go on; new ones are refused within two seconds.\n`,
    );
    return 0;
  },
});

/** `kikitori keys add|list|rm`: the file of `serve --api-keys`. */
export const keys: CommandGroup = {
  summary: 'make and remove API keys of a server',
  commands: { add, list, rm },
};

function named(file: string | undefined): string {
  if (file !== undefined) return file;
  throw new CliError('usage', 'Say which file: --api-keys FILE, or KIKITORI_API_KEYS.');
}

async function readOrEmpty(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw new CliError('bad_input', `${file} cannot be read; check its path and who may read it.`, {
      cause: error,
    });
  }
}

async function readKeys(file: string): Promise<readonly KnownKey[]> {
  return parseKeyFile(await readOrEmpty(file));
}

function parseName(line: string, name: string): void {
  try {
    parseKeyFile(line);
  } catch (cause) {
    throw new CliError(
      'bad_input',
      `"${name}" cannot be the name of a key: take letters, digits, dots and dashes, at most 64.`,
      {
        cause,
      },
    );
  }
}

/** Rejects with `CliError` where the file is not as it was read, or cannot be changed; then it stays as it is. */
async function keep(
  file: string,
  { before, after }: { readonly before: string; readonly after: string },
): Promise<void> {
  if ((await readOrEmpty(file)) !== before) {
    throw new CliError(
      'bad_input',
      `Somebody changed ${file} meanwhile, so it was left alone; do this again.`,
    );
  }
  try {
    await replaceFile(file, after);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError(
      'service_failed',
      `${file} cannot be written, so it is as it was; check its folder and who may write there.`,
      { cause },
    );
  }
}
