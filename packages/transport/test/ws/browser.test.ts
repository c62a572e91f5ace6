import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { testConnection } from '../../src/conformance/connection.js';
import { connectWebSocket } from '../../src/ws/browser.js';
import { webSocketWorld } from '../worlds.js';

beforeAll(() => {
  vi.stubGlobal('WebSocket', WebSocket);
});
afterAll(() => {
  vi.unstubAllGlobals();
});

const BROWSER = { tellsRefusal: false, pausesPeer: false, cutsLine: false, tellsCloseCode: true };

testConnection(
  "the platform's WebSocket",
  { traits: BROWSER, createWorld: () => webSocketWorld(connectWebSocket) },
  {
    describe,
    it,
    expect,
  },
);
