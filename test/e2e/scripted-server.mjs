// A model server for tests that want to kill one: says its number on stdout, then serves until it is ended.
//   node scripted-server.mjs --port NUMBER
import { createScriptedEngine } from '@kikitori/engine';
import { startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
const words = ['Good', 'morning.'].map((text, index) => ({
  text,
  startMs: 200 + index * 300,
  endMs: 500 + index * 300,
}));
const engine = createScriptedEngine({ script: [{ words }], afterScript: 'repeat', roundMs: 1_000 });
await startServer({ engine, attach: attachWebSockets, port });
process.stdout.write(`model server ${process.pid}\n`);
