/** 128 ms of noise as loud as speech, PCM16 at 16 kHz: what a compressor meets must not be easier than sound. */
function noise() {
  let state = 1;
  const samples = Int16Array.from({ length: 2048 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32 - 0.5) * 4_000;
  });
  return Buffer.from(samples.buffer);
}

/** 4096 bytes of audio as the Realtime dialect sends it: 5,511 bytes of JSON text. */
export const AUDIO = Buffer.from(
  JSON.stringify({ type: 'input_audio_buffer.append', audio: noise().toString('base64') }),
);

/** A word, as the server sends it: 46 bytes. */
export const ANSWER = Buffer.from(JSON.stringify({ type: 'transcription.delta', delta: ' word' }));

/** How often a session sends: the length of its audio. */
export const INTERVAL_MS = 128;
