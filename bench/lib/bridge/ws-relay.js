/** The bridge as one would write it with the `ws` package: messages in, messages out. `ws-relay.js UPSTREAM`; prints its port. */
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

const [, , upstream] = process.argv;
const server = createServer();
const options = { perMessageDeflate: false, skipUTF8Validation: true };
const sockets = new WebSocketServer({ server, ...options });

sockets.on('connection', (client) => {
  const model = new WebSocket(upstream, options);
  const waiting = [];
  client.on('message', (data) => {
    if (model.readyState === WebSocket.OPEN) model.send(data, { binary: false });
    else waiting.push(data);
  });
  model.on('open', () => {
    for (const data of waiting.splice(0)) model.send(data, { binary: false });
  });
  model.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
  client.on('close', () => model.close());
  model.on('close', () => client.close());
  client.on('error', () => model.terminate());
  model.on('error', () => client.terminate());
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  process.stdout.write(`${server.address().port}\n`);
});
