/**
 * A model server as cheap as can be that speaks as vLLM does: a delta for every 80 ms of audio, a word in every fifth, 17 more
 * and `done` behind `final`; `/v1/models`, `/health` and `/metrics` beside it. It looks at the length of audio, not into it.
 * Prints its port.
 */
import { createServer } from 'node:http';
import { attachWebSockets } from '@kikitori/transport/ws';

const MODELS = {
  object: 'list',
  data: [{ id: 'voxtral', object: 'model', owned_by: 'vllm', max_model_len: 45_000 }],
};
const METRICS = 'vllm:cache_config_info{block_size="16",num_gpu_blocks="100000"} 1.0\n';
const FIRST_SAMPLES = 9_000;
const STEP_SAMPLES = 1_280;
const TAIL_STEPS = 17;

function answer(request, response) {
  if (request.url === '/v1/models')
    response.setHeader('content-type', 'application/json').end(JSON.stringify(MODELS));
  else response.end(request.url === '/metrics' ? METRICS : '');
}

async function converse(connection) {
  let samples = 0;
  let steps = 0;
  let text = '';
  const step = async () => {
    const delta = steps % 5 === 4 ? ' word' : '';
    steps += 1;
    text += delta;
    await connection.send(`{"type":"transcription.delta","delta":"${delta}"}`);
  };
  try {
    await connection.send('{"type":"session.created","id":"sess-0123456789abcdef","created":1}');
    for await (const message of connection.messages) {
      if (message.length > 512) {
        // Of base64, which is most of it.
        samples += Math.floor(((message.length - 50) * 3) / 8);
        while (FIRST_SAMPLES + steps * STEP_SAMPLES <= samples) await step();
      } else if (message.includes('"final":true')) {
        for (let tail = 0; tail < TAIL_STEPS; tail += 1) await step();
        const usage = {
          prompt_tokens: 39,
          total_tokens: 39 + steps,
          completion_tokens: steps,
          prompt_tokens_details: null,
        };
        await connection.send(JSON.stringify({ type: 'transcription.done', text, usage }));
        samples = 0;
        steps = 0;
        text = '';
      }
    }
  } catch {
    // The client is gone.
  }
}

const server = createServer(answer);
attachWebSockets(server, {
  admit: () => ({ accept: true }),
  onConnection: (connection) => void converse(connection),
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
