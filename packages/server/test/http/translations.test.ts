import { expect, it } from 'vitest';
import { startTestServer } from '../test-server.js';
import { form } from '../upload-client.js';

it('a file that should be translated is refused with a sentence', async () => {
  await using test = await startTestServer();
  const answer = await fetch(`${test.url}/v1/audio/translations`, { method: 'POST', body: form() });
  expect(answer.status).toBe(404);
  expect(await answer.json()).toEqual({
    error: {
      message:
        'Nothing is translated here. POST /v1/audio/transcriptions gives the text in the language that is spoken.',
      type: 'NotFoundError',
      param: null,
      code: 404,
    },
  });
  expect(test.engine.calls.opens).toBe(0);
});
