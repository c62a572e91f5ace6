/**
 * The model server of the bridge's bench: one small answer for each message, and nothing else. Bare frames, so that it
 * costs little. Prints its port.
 */
import { createServer } from 'node:http';
import {
  checkUpgrade,
  encodeFrame,
  encodeUpgradeAnswer,
  FrameReader,
  OPCODE,
} from '@kikitori/transport/frames';
import { ANSWER } from './messages.js';

const answer = Buffer.from(encodeFrame(ANSWER, { opcode: OPCODE.text }));
const server = createServer((_request, response) => response.writeHead(200).end());

server.on('upgrade', (request, socket) => {
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
