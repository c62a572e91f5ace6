export { HTTP_SERVER_DEFAULTS } from '../limits.js';
export { type ConnectTuning, connectWebSocket } from './node-connect.js';
export type { WebSocketTuning } from './node-connection.js';
export { type AttachOptions, attachWebSockets } from './node-listen.js';
