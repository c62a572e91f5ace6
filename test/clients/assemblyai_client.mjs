/**
 * AssemblyAI's own client, which insists on TLS: a process of its own, so that it can be told whom to trust. One JSON object a line.
 *
 *     NODE_EXTRA_CA_CERTS=… node assemblyai_client.mjs URL KEY FILE    FILE: 16-bit PCM, mono, 16 kHz
 */
import { readFileSync } from 'node:fs';
import { StreamingTranscriber } from 'assemblyai';

const [url, apiKey, file] = process.argv.slice(2);
const PART_BYTES = 3_200;
const tell = (kind, text = '') => process.stdout.write(`${JSON.stringify({ kind, text })}\n`);

const transcriber = new StreamingTranscriber({
  apiKey,
  websocketBaseUrl: `${url.replace('https:', 'wss:')}/v3/ws`,
  sampleRate: 16_000,
  formatTurns: true,
  speechModel: 'universal-streaming-english',
});
transcriber.on('turn', ({ end_of_turn: isEnd, turn_is_formatted: isFormatted, transcript }) => {
  if (!isEnd) tell('interim', transcript);
  else if (isFormatted) tell('final', transcript);
});
transcriber.on('error', (error) => tell('error', error.message));
await transcriber.connect().then(
  async () => {
    const pcm = readFileSync(file);
    for (let at = 0; at < pcm.length; at += PART_BYTES)
      transcriber.sendAudio(pcm.subarray(at, at + PART_BYTES));
    await transcriber.close();
  },
  (error) => tell('error', error.message),
);
