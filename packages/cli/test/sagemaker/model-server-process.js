// A model server for tests of who runs one: `node model-server-process.js FOLDER --port N …`. It speaks vLLM's dialect and
// hears a scripted engine. It loads until FOLDER/loaded is there, says what it does on stdout, and its number in FOLDER/pids.
import { appendFileSync, existsSync } from 'node:fs';
import { createScriptedEngine } from '@kikitori/engine';
import { startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';

const [, , folder, ...args] = process.argv;
appendFileSync(`${folder}/pids`, `${process.pid}\n`);
process.stdout.write(`\x1b[31mreading weights\x1b[0m with ${JSON.stringify(args)}\n`);
if (args.includes('--fail')) {
  process.stderr.write('no memory on this GPU\n');
  process.exit(3);
}
while (!existsSync(`${folder}/loaded`)) await new Promise((resolve) => setTimeout(resolve, 5));
const words = ['Good', 'morning.'].map((text, index) => ({
  text,
  startMs: 200 + index * 300,
  endMs: 500 + index * 300,
}));
const engine = createScriptedEngine({ script: [{ words }], afterScript: 'repeat', roundMs: 1_000 });
const port = Number(args[args.indexOf('--port') + 1]);
await startServer({ engine, models: ['voxtral-toy'], attach: attachWebSockets, port });
