export type {
  Admission,
  Connect,
  Connection,
  ConnectOptions,
  Handshake,
  Listen,
  Listener,
  ListenHandlers,
  Message,
} from './connection.js';
