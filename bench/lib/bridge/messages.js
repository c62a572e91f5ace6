/** 4096 bytes of audio (128 ms of PCM16 at 16 kHz) as the Realtime dialect sends it: 5,511 bytes of JSON text. */
export const AUDIO = Buffer.from(
  JSON.stringify({
    type: 'input_audio_buffer.append',
    audio: Buffer.from(Uint8Array.from({ length: 4096 }, (_, i) => (i * 31) & 0xff)).toString('base64'),
  }),
);

/** A word, as the server sends it: 46 bytes. */
export const ANSWER = Buffer.from(JSON.stringify({ type: 'transcription.delta', delta: ' word' }));

/** How often a session sends: the length of its audio. */
export const INTERVAL_MS = 128;
