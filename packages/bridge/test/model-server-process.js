// A model server for tests of the whole process: `node model-server-process.js --port N …`. Echoes messages, prints its
// arguments, dies on the message "die".
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
process.stdout.write(`arguments ${JSON.stringify(process.argv.slice(2))}\n`);
const server = createServer((_request, response) => response.writeHead(200).end());
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.send(`pid ${process.pid}`);
  socket.on('message', (data) => {
    if (String(data) === 'die') process.kill(process.pid, 'SIGKILL');
    socket.send(`echo ${data}`);
  });
});
server.listen(port, '127.0.0.1');
process.on('SIGTERM', () => {
  process.stdout.write('model server stops\n');
  process.exit(0);
});
