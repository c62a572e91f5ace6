/**
 * The model server of the bridge's bench: one small answer for each message, and nothing else. Bare frames, so that it
 * costs little; who offers compression gets it, as from vLLM. Prints its port.
 */
import { createServer } from 'node:http';
import {
  checkUpgrade,
  encodeFrame,
  encodeUpgradeAnswer,
  FrameReader,
  OPCODE,
} from '@kikitori/transport/frames';
import { WebSocketServer } from 'ws';
import { ANSWER } from './messages.js';

const answer = Buffer.from(encodeFrame(ANSWER, { opcode: OPCODE.text }));
const server = createServer((_request, response) => response.writeHead(200).end());

/** What vLLM's server, uvicorn, agrees to. */
const compressing = new WebSocketServer({
  noServer: true,
  perMessageDeflate: { serverMaxWindowBits: 12, clientMaxWindowBits: 12, threshold: 0 },
});
compressing.on('connection', (connection) => {
  connection.on('message', () => connection.send(ANSWER, { binary: false }));
  connection.on('error', () => connection.terminate());
});

server.on('upgrade', (request, socket, head) => {
  if (/permessage-deflate/.test(request.headers['sec-websocket-extensions'] ?? '')) {
    compressing.handleUpgrade(request, socket, head, (connection) =>
      compressing.emit('connection', connection),
    );
    return;
  }
  const check = checkUpgrade(request);
  if (!check.isValid) {
    socket.destroy();
    return;
  }
  socket.setNoDelay(true);
  socket.write(encodeUpgradeAnswer(check.key));
  const reader = new FrameReader({ role: 'server' });
  socket.on('error', () => socket.destroy());
  socket.on('end', () => socket.end());
  socket.on('data', (chunk) => {
    reader.push(chunk);
    for (let step = reader.next(); step !== 'starved'; step = reader.next()) {
      if (step === 'payload' && reader.isFrameEnd && reader.frame.isFinal) socket.write(answer);
      else if (step === 'control') onControl(socket, reader.frame.opcode, reader.controlPayload);
    }
  });
});

function onControl(socket, opcode, payload) {
  if (opcode === OPCODE.ping) socket.write(encodeFrame(payload, { opcode: OPCODE.pong }));
  else if (opcode === OPCODE.close) socket.end(encodeFrame(payload, { opcode: OPCODE.close }));
}

server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  process.stdout.write(`${server.address().port}\n`);
});
