import { readFile } from 'node:fs/promises';
import { createKey, digestOf, formatKey, parseKeyFile } from '@kikitori/server/doors';
import { type CommandGroup, defineCommand } from '../command.js';
import { CliError } from '../errors.js';
import { apiKeysOption } from '../options-shared.js';
import { replaceFile } from '../replaced-file.js';
import { showKey } from '../shown-key.js';
import { remark } from '../terminal/beside.js';

const NAME = 'what the key is called: letters, digits, dots, dashes';

const add = defineCommand({
  summary: 'make a key, print it once, and put its hash into the file',
  operands: [{ name: 'name', description: NAME, required: true }],
  options: { apiKeys: apiKeysOption },
  examples: ['kikitori keys add page --api-keys keys.txt'],
  isForOutput: true,
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
    await showKey(key, `so it was not put into ${file}`, context);
    const start = before === '' || before.endsWith('\n') ? before : `${before}\n`;
    await keep(file, { before, after: start + line });
    remark(
      `This is shown once; ${file} holds its hash alone. Running servers take it within two seconds.`,
      context.stderr,
    );
    return 0;
  },
});

const list = defineCommand({
  summary: 'show the names in a key file',
  operands: [],
  options: { apiKeys: apiKeysOption },
  examples: ['kikitori keys list --api-keys keys.txt'],
  isForOutput: true,
  async run({ options }, context) {
    const file = named(options.apiKeys);
    for (const { name } of parseKeyFile(await readExisting(file))) context.stdout.write(`${name}\n`);
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
    const text = await readExisting(file);
    if (!parseKeyFile(text).some((key) => key.name === name)) {
      throw new CliError(
        'bad_input',
        `There is no key ${name} in ${file}; "kikitori keys list" shows the names.`,
      );
    }
    const rest = text.split('\n').filter((line) => line.trim().split(/\s+/)[0] !== name);
    await keep(file, { before: text, after: rest.join('\n') });
    remark(
      `Removed ${name}. Its sessions that run go on; new ones are refused within two seconds.`,
      context.stderr,
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

/** What is there; an empty text where there is no such file yet. */
async function readOrEmpty(file: string): Promise<string> {
  return (await readIfThere(file)) ?? '';
}

/** A name that was mistyped is no file without keys. */
async function readExisting(file: string): Promise<string> {
  const text = await readIfThere(file);
  if (text !== undefined) return text;
  throw new CliError(
    'bad_input',
    `There is no file ${file}; check the path, or make it with "kikitori keys add NAME --api-keys ${file}".`,
  );
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new CliError('bad_input', `${file} cannot be read; check its path and who may read it.`, {
      cause: error,
    });
  }
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
