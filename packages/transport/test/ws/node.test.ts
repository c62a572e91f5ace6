import { describe, expect, it } from 'vitest';
import { testConnection } from '../../src/conformance/connection.js';
import { connectWebSocket } from '../../src/ws/node.js';
import { EVERYTHING, webSocketWorld } from '../worlds.js';

testConnection(
  'a WebSocket of ws on Node',
  { traits: EVERYTHING, createWorld: () => webSocketWorld(connectWebSocket) },
  {
    describe,
    it,
    expect,
  },
);
