/**
 * RFC 6455 frames over bare sockets, for who passes frames on instead of reading messages: the bridge, and the stand-in of
 * SageMaker's runtime. Programs that want messages use a `Connection`.
 *
 * | what                                    | whose job                                                                     |
 * | --------------------------------------- | ----------------------------------------------------------------------------- |
 * | headers, masks, order of frames         | `FrameReader` checks all of it, in the role given                             |
 * | payload bytes of data frames            | the caller: unmask (`applyMask`), check UTF-8, or pass on as they are         |
 * | control frames                          | `FrameReader` gives them whole and unmasked; the caller answers pings         |
 * | closing                                 | the caller answers a close frame, then ends the socket (server first)         |
 * | sizes                                   | `FrameReader` bounds a message; what waits in sockets is bounded by the caller |
 * | opening, as a client                    | `openFrames`, or `ClientHandshake` where the caller does the I/O              |
 * | opening, as a server                    | `checkUpgrade` and `encodeUpgradeAnswer` or `encodeRefusal`; caller does I/O  |
 * | who may come in, paths, headers, limits | the caller                                                                    |
 */
export { isWireCloseCode, truncateCloseReason } from '../close-code.js';
export { ClientHandshake, type ClientHandshakeOptions, type HandshakeAnswer } from './client-handshake.js';
export {
  CLOSE_CODE_ABSENT,
  type CloseInfo,
  decodeClosePayload,
  encodeCloseFrame,
  encodeClosePayload,
} from './close-payload.js';
export { FrameCollector, type WholeFrame } from './frame-collector.js';
export {
  encodeFrame,
  encodeFrameHeader,
  FRAME_HEADER_BYTES_MAX,
  type FrameHeader,
  type FrameHeaderFields,
  frameHeaderBytes,
  writeFrameHeader,
} from './frame-header.js';
export { FrameReader, type FrameReaderOptions, type FrameStep } from './frame-reader.js';
export { FRAME_LIMITS } from './limits.js';
export { applyMask, newMaskKey } from './mask.js';
export { isControl, OPCODE, type Opcode } from './opcode.js';
export { type FrameOpening, type OpenFramesOptions, openFrames } from './open-frames.js';
export {
  acceptFor,
  checkUpgrade,
  encodeRefusal,
  encodeUpgradeAnswer,
  type HandshakeRefusal,
  type UpgradeCheck,
  type UpgradeRequest,
} from './server-handshake.js';
