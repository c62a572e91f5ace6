/** Kinds of frames, RFC 6455 section 5.2. */
export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** Any kind that exists; a reader refuses all others. */
export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** Close, ping, pong: whole in one frame, at most 125 bytes, allowed between the fragments of a message. */
export function isControl(opcode: number): boolean {
  return (opcode & 0x8) !== 0;
}
