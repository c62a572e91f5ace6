import { DEFAULT_MODEL } from '@kikitori/engine-local';
import { type CommandGroup, defineCommand } from '../command.js';
import type { Context, Output } from '../context.js';
import { CliError } from '../errors.js';
import type { ModelRow, ModelStore } from '../model-store.js';
import { flag } from '../options.js';
import { beside, remark } from '../terminal/beside.js';
import { createDisplay, type Display } from '../terminal/display.js';
import { byteSize } from '../terminal/figures.js';
import { jsonText, oneLine } from '../terminal/screened.js';
import { loadingRow } from '../terminal/status-row.js';

const NAME = 'tiny, base, silero, or hf:owner/name of a hub';

const list = defineCommand({
  summary: 'show the models and which of them are here',
  operands: [],
  options: { json: flag({ flags: '--json', description: 'print JSON' }) },
  examples: ['kikitori models list'],
  async run({ options }, context) {
    const store = await context.factories.openModelStore();
    const rows = await store.list();
    context.stdout.write(options.json ? `${jsonText(rows.map(jsonOf), 2)}\n` : table(rows, context.stdout));
    return 0;
  },
});

const pull = defineCommand({
  summary: 'fetch a model, or check and repair one that is here',
  operands: [{ name: 'name', description: `${NAME} (default: ${DEFAULT_MODEL})`, required: false }],
  options: {},
  examples: ['kikitori models pull base'],
  async run({ operands }, context) {
    const [name = DEFAULT_MODEL] = operands;
    const store = await context.factories.openModelStore();
    const display = createDisplay(context);
    try {
      for (const one of await namesToPull(store, name)) await pullOne(one, store, display, context);
    } finally {
      display.close();
    }
    return 0;
  },
});

const rm = defineCommand({
  summary: 'remove a model from this machine',
  operands: [{ name: 'name', description: NAME, required: true }],
  options: {},
  examples: ['kikitori models rm tiny'],
  async run({ operands }, context) {
    const [name = ''] = operands;
    const store = await context.factories.openModelStore();
    if (await store.remove(name)) {
      remark(`Removed ${name}.`, context.stderr);
      return 0;
    }
    throw new CliError(
      'bad_input',
      `The model ${name} is not on this machine; "kikitori models list" shows what is.`,
    );
  },
});

/** `kikitori models list|pull|rm`. */
export const models: CommandGroup = {
  summary: 'list, fetch and remove models',
  commands: { list, pull, rm },
};

/** A recogniser is of no use without the model that tells speech from silence. */
async function namesToPull(store: ModelStore, name: string): Promise<readonly string[]> {
  const rows = await store.list();
  const isRecogniser = rows.find((row) => row.name === name)?.kind !== 'silero';
  const helpers = rows.filter((row) => row.kind === 'silero').map((row) => row.name);
  return isRecogniser ? [name, ...helpers] : [name];
}

async function pullOne(name: string, store: ModelStore, display: Display, context: Context): Promise<void> {
  const label = `Fetching ${name}`;
  let wasFetched = false;
  await store.pull(name, {
    signal: context.signal,
    onProgress: ({ receivedBytes, totalBytes }) => {
      if (!wasFetched && !display.isLive) display.note(`${label} (${byteSize(totalBytes)})…`);
      wasFetched = true;
      const detail = `${byteSize(receivedBytes)} of ${byteSize(totalBytes)}`;
      display.status((cells) => loadingRow(label, receivedBytes / totalBytes, detail, cells, display.style));
    },
  });
  display.status(undefined);
  display.note(wasFetched ? `${name}: fetched and checked.` : `${name}: already here and whole.`);
}

function table(rows: readonly ModelRow[], output: Output): string {
  const nameCells = Math.max(...rows.map(({ name }) => name.length), 4);
  return rows
    .map(({ name, state, sizeBytes, licence, description }) => {
      const size = byteSize(sizeBytes).padStart(8);
      const head = oneLine(`${name.padEnd(nameCells)}  ${state.padEnd(7)}  ${size}  ${licence.padEnd(4)}  `);
      return `${head}${beside(head.length, description, output)}`;
    })
    .map((row) => `${row.replaceAll(/(?<! ) +$/gm, '')}\n`)
    .join('');
}

function jsonOf(row: ModelRow): Record<string, unknown> {
  const { name, kind, state, sizeBytes, licence, languages, description, dir } = row;
  return { name, kind, state, size_bytes: sizeBytes, licence, languages, description, dir };
}
