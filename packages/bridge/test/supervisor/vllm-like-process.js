// A model server for tests that behaves like vLLM: `node vllm-like-process.js FOLDER --port N …`. A worker of its own ignores
// SIGTERM and outlives it. It loads until FOLDER/loaded is there, and writes into FOLDER/book what it was started with, its
// process ids, and those of an earlier one that still run. GET does what tests ask for:
//   /health        200; 503 once the engine is dead
//   /v1/models     the list
//   /engine-dies   503 from now on; its WebSockets end with 1012, and it ends by itself, with 0
//   /hangs         503 from now on, and nothing else
//   /killed        SIGKILL to itself alone
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';

const [, , folder, ...args] = process.argv;
const book = join(folder, 'book');
const note = (line) => appendFileSync(book, `${line}\n`);

function runs(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

const earlier = existsSync(book) ? readFileSync(book, 'utf8').matchAll(/^pid (\d+)$/gm) : [];
note(`left ${[...earlier].filter(([, pid]) => runs(pid)).length}`);
note(`arguments ${JSON.stringify(args)}`);
note(`pid ${process.pid}`);

const stubborn = `process.on('SIGTERM', () => {}); process.stdout.write('up'); setInterval(() => {}, 1000);`;
const worker = spawn(process.execPath, ['-e', stubborn], { stdio: ['ignore', 'pipe', 'ignore'] });
await new Promise((resolve) => worker.stdout.once('data', resolve));
note(`pid ${worker.pid}`);

let isDead = false;
const server = createServer((request, response) => {
  response.setHeader('Connection', 'close');
  const { url } = request;
  if (url === '/killed') process.kill(process.pid, 'SIGKILL');
  isDead ||= url === '/engine-dies' || url === '/hangs';
  if (url === '/v1/models') {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'toy', max_model_len: 128 }] }));
  } else response.writeHead(isDead && url === '/health' ? 503 : 200).end();
  if (url !== '/engine-dies') return;
  for (const socket of sockets.clients) socket.close(1012);
  worker.kill('SIGKILL');
  server.close(() => process.exit(0));
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.send(`pid ${process.pid}`);
  socket.on('message', (data) => socket.send(`echo ${data}`));
});
process.on('SIGTERM', () => process.exit(0));

while (!existsSync(join(folder, 'loaded'))) await new Promise((resolve) => setTimeout(resolve, 5));
server.listen(Number(args[args.indexOf('--port') + 1]), '127.0.0.1');
