/** Runs in a worker of a browser: any rate and channels to mono at 16 kHz, off the page's thread. */
import { measureLevel, SpeechConverter } from '@kikitori/audio';
import { CAPTURE_LIMITS } from './limits.js';
import type { WorkerAudio, WorkerRequest, WorkletBlock } from './worker-messages.js';

let converter: SpeechConverter | undefined;

addEventListener('message', ({ data }: MessageEvent<WorkerRequest>) => {
  if (data.type === 'listen') listen(data.port, data.sampleRateHz);
  else convert(data);
});

function listen(port: MessagePort, sampleRateHz: number): void {
  const live = new SpeechConverter({ sampleRateHz, channels: CAPTURE_LIMITS.channels });
  port.onmessage = ({ data }: MessageEvent<WorkletBlock>) => answer(data, live.push(data));
}

function convert({
  interleaved,
  sampleRateHz,
  channels,
  isLast,
}: Extract<WorkerRequest, { type: 'convert' }>): void {
  converter ??= new SpeechConverter({ sampleRateHz, channels });
  const head = converter.push(interleaved);
  const tail = isLast ? converter.finish() : new Float32Array(0);
  if (isLast) converter = undefined;
  const samples = new Float32Array(head.length + tail.length);
  samples.set(head);
  samples.set(tail, head.length);
  answer(interleaved, samples);
}

function answer(heard: Float32Array, samples: Float32Array<ArrayBuffer>): void {
  const audio: WorkerAudio = { samples, level: measureLevel(heard) };
  postMessage(audio, { transfer: [samples.buffer] });
}
