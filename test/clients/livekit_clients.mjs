/**
 * LiveKit's speech-to-text plug-ins, without a room, against a server of ours: what each of them was told, one JSON object a line.
 *
 *     node livekit_clients.mjs HOME CLIENT URL KEY MODEL FILE    HOME: where they are installed; FILE: 16-bit PCM, mono, 24 kHz
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [home, name, url, apiKey, model, file] = process.argv.slice(2);
const require = createRequire(join(home, 'package.json'));
const bring = (id) => import(pathToFileURL(require.resolve(id)).href);
const { initializeLogger, stt } = await bring('@livekit/agents');
const { AudioFrame } = await bring('@livekit/rtc-node');

const RATE_HZ = 24_000;
const STEP = RATE_HZ / 20;
const SILENCE_S = 2;
const PACE_MS = 12;
const { FINAL_TRANSCRIPT, INTERIM_TRANSCRIPT, START_OF_SPEECH, END_OF_SPEECH } = stt.SpeechEventType;
const KINDS = new Map([
  [FINAL_TRANSCRIPT, 'final'],
  [INTERIM_TRANSCRIPT, 'interim'],
  [START_OF_SPEECH, 'start'],
  [END_OF_SPEECH, 'end'],
]);

const tell = (kind, text = '') => process.stdout.write(`${JSON.stringify({ kind, text })}\n`);

async function voiceDetection() {
  const { VAD } = await bring('@livekit/agents-plugin-silero');
  return await VAD.load();
}

const CLIENTS = {
  'openai, the server ends turns': async () => {
    const { STT } = await bring('@livekit/agents-plugin-openai');
    return new STT({ apiKey, baseURL: `${url}/v1`, model, useRealtime: true });
  },
  'openai, LiveKit ends turns': async () => {
    const { STT } = await bring('@livekit/agents-plugin-openai');
    const vad = await voiceDetection();
    return new STT({ apiKey, baseURL: `${url}/v1`, model: 'gpt-realtime-whisper', useRealtime: true, vad });
  },
  deepgram: async () => {
    const { STT } = await bring('@livekit/agents-plugin-deepgram');
    return new STT({ apiKey, baseUrl: url.replace('http', 'ws'), model: 'nova-3', language: 'en-US' });
  },
  'deepgram flux': async () => {
    const { STTv2 } = await bring('@livekit/agents-plugin-deepgram');
    return new STTv2({
      apiKey,
      endpointUrl: `${url.replace('http', 'ws')}/v2/listen`,
      model: 'flux-general-en',
    });
  },
  mistral: async () => {
    const { STT } = await bring('@livekit/agents-plugin-mistralai');
    const { Mistral } = await bring('@mistralai/mistralai');
    const client = new Mistral({ apiKey, serverURL: url });
    return new STT({
      apiKey,
      client,
      model: 'voxtral-mini-transcribe-realtime-2602',
      vad: await voiceDetection(),
    });
  },
};

initializeLogger({ pretty: false, level: 'error' });
const stream = (await CLIENTS[name]()).stream();
const pcm = readFileSync(file);
const samples = new Int16Array(pcm.length / 2 + SILENCE_S * RATE_HZ);
samples.set(new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2));
void (async () => {
  for await (const event of stream) {
    const text = event.alternatives?.[0]?.text ?? '';
    if (KINDS.has(event.type)) tell(KINDS.get(event.type), text);
    // It never ends by itself where the server ends turns: the last words of the recording do.
    if (event.type === FINAL_TRANSCRIPT && /minutes\W*$/.test(text)) process.exit(0);
  }
  process.exit(1);
})();
for (let at = 0; at + STEP <= samples.length; at += STEP) {
  stream.pushFrame(new AudioFrame(samples.slice(at, at + STEP), RATE_HZ, 1, STEP));
  await new Promise((resolve) => setTimeout(resolve, PACE_MS));
}
