export { BoundedQueue, type BoundedQueueOptions } from './bounded-queue.js';
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
export {
  TransportError,
  type TransportErrorCode,
  type TransportErrorOptions,
} from './errors.js';
export { FaultInjector, type FaultPlan, type Operation } from './faulty.js';
export { Gate, type WaitOptions } from './gate.js';
export { TRANSPORT_LIMITS } from './limits.js';
export {
  attachMemory,
  createMemoryHost,
  createMemoryPair,
  type MemoryEndOptions,
  type MemoryHost,
  type MemoryPair,
} from './memory.js';
