import { describe, expect, it } from 'vitest';
import { eventually, startTestServer, type TestServer } from './test-server.js';
import { type Fields, filesOf, form, formOf, openUpload, post, stereo, voice, wav } from './upload-client.js';

const TEXT = 'First words spoken. First words spoken.';

describe('a file', () => {
  it('is answered with its text and its length, wherever the file stands in the form', async () => {
    await using test = await startTestServer();
    for (const order of ['before', 'behind'] as const) {
      const answer = await post(test, form([['model', 'scripted']], wav(3900), order));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(await answer.json()).toMatchObject({ text: TEXT, usage: { type: 'duration', seconds: 4 } });
    }
    expect(test.engine.calls.streamsOpen).toBe(0);
    expect(await test.metric('kikitori_files_total{status="200"}')).toBe(2);
    expect(await test.metric('kikitori_audio_seconds_total{source="file"}')).toBe(7.8);
    expect(await test.metric('kikitori_words_total{source="file"}')).toBe(12);
    expect(await test.metric('kikitori_sessions_active')).toBe(0);
  });

  it('is written as text, SubRip, WebVTT or verbose JSON', async () => {
    await using test = await startTestServer();
    const as = async (...fields: Fields): Promise<Response> => post(test, form(fields));
    const text = await as(['response_format', 'text']);
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await text.text()).toBe(`${TEXT}\n`);
    const srt = await (await as(['response_format', 'srt'])).text();
    expect(srt).toMatch(/^1\n00:00:00,100 --> 00:00:0\d,\d{3}\nFirst words spoken\.\n\n2\n00:00:02,100/);
    const vtt = await (await as(['response_format', 'vtt'])).text();
    expect(vtt).toMatch(/^WEBVTT\n\n00:00:00\.100 --> /);
    const verbose: unknown = await (await as(['response_format', 'verbose_json'])).json();
    expect(verbose).toMatchObject({
      task: 'transcribe',
      language: 'en',
      duration: 4,
      text: TEXT,
      segments: [
        { id: 0, start: 0.1, end: 1.2, text: ' First words spoken.' },
        { id: 1, start: 2.1, end: 3.2, text: ' First words spoken.' },
      ],
    });
    expect(verbose).not.toHaveProperty('words');
  });

  it('that is damaged says so in every format', async () => {
    await using test = await startTestServer();
    const whole = wav(3900);
    const cut = whole.slice(0, whole.length - 1_000);
    const told = 'The file is damaged: what could be read of it was transcribed.';
    for (const format of ['json', 'text', 'srt', 'vtt', 'verbose_json']) {
      const answer = await post(test, form([['response_format', format]], cut));
      expect(answer.headers.get('x-kikitori-remarks'), format).toBe(told);
      if (format.endsWith('json')) expect(await answer.json()).toMatchObject({ remarks: [told] });
    }
    const streamed = await (await post(test, form([['stream', 'true']], cut))).text();
    expect(streamed).toContain(`"finish_reason":"stop","stop_reason":null}],"remarks":["${told}"]}`);
    const answer = await post(test, form([], whole));
    expect(answer.headers.has('x-kikitori-remarks')).toBe(false);
  });

  it('takes a language as people write it', async () => {
    await using test = await startTestServer();
    for (const language of ['en_US', 'EN', 'english', 'auto', '']) {
      expect((await post(test, form([['language', language]]))).status, language).toBe(200);
    }
  });

  it('names the language asked for where nobody knows what the model hears, else none', async () => {
    await using test = await startTestServer({ engine: { languages: [] } });
    const languageOf = async (...fields: Fields): Promise<unknown> => {
      const answer = await post(test, form([['response_format', 'verbose_json'], ...fields]));
      return JSON.parse(await answer.text()).language;
    };
    expect(await languageOf(['language', 'German'])).toBe('de');
    expect(await languageOf()).toBe('und');
  });

  it('marks the segments, and the chunks of a stream, that the engine is unsure of', async () => {
    const script = [
      { words: [{ text: 'First.', startMs: 100, endMs: 400 }] },
      {
        words: [
          { text: 'Bon', startMs: 2_000, endMs: 2_400 },
          { text: 'jour.', startMs: 2_500, endMs: 2_900 },
        ],
        unsureFrom: 2,
      },
    ];
    await using test = await startTestServer({ engine: { script, afterScript: 'silence', roundMs: 4_000 } });
    const verbose = await (await post(test, form([['response_format', 'verbose_json']]))).text();
    const { segments } = JSON.parse(verbose);
    expect(segments.map(({ text, unsure }: Record<string, unknown>) => [text, unsure])).toEqual([
      [' First.', undefined],
      [' Bon jour.', true],
    ]);
    const plain = JSON.parse(await (await post(test, form([]))).text());
    expect(plain).toMatchObject({ text: 'First. Bon jour.', unsure: true });
    const streamed = await (await post(test, form([['stream', 'true']]))).text();
    const chunks = streamed.split('\n\n').filter((frame) => frame.includes('"content":" '));
    expect(chunks.map((frame) => frame.includes('"unsure":true'))).toEqual([false, false, true]);
  });

  it('has words where they are asked for', async () => {
    await using test = await startTestServer();
    const ask = async (...granularities: string[]): Promise<{ segments?: unknown; words?: unknown[] }> => {
      const fields: [string, string][] = granularities.map((each) => ['timestamp_granularities[]', each]);
      const answer = await post(test, form([['response_format', 'verbose_json'], ...fields]));
      return JSON.parse(await answer.text());
    };
    const words = await ask('word');
    expect(words.segments).toBeUndefined();
    expect(words.words?.slice(0, 2)).toEqual([
      { word: 'First', start: 0.1, end: 0.4 },
      { word: 'words', start: 0.5, end: 0.8 },
    ]);
    const both = await ask('word', 'segment');
    expect([both.segments, both.words]).toMatchObject([{ length: 2 }, { length: 6 }]);
  });

  it('without any speech has an empty text', async () => {
    await using test = await startTestServer();
    const answer = await post(test, form([], wav(50)));
    expect(await answer.json()).toMatchObject({ text: '', usage: { type: 'duration', seconds: 1 } });
  });
});

describe('a file with two channels', () => {
  const call = stereo(voice(1), voice(2));
  const LABELLED = [1, 2].flatMap((channel) => [`Channel ${channel}: First words spoken.`]);
  const both = [...LABELLED, ...LABELLED].join('\n');
  const ask = async (test: TestServer, fields: Fields, file = call): Promise<string> =>
    await (await post(test, form(fields, file))).text();

  it('has the words of both apart where it holds two voices, one after the other in one place', async () => {
    await using test = await startTestServer({ engine: { streamsMax: 1 } });
    expect(JSON.parse(await ask(test, []))).toMatchObject({ text: both, usage: { seconds: 4 } });
    expect(await ask(test, [['response_format', 'text']])).toBe(`${both}\n`);
    expect(await ask(test, [['response_format', 'vtt']])).toContain('<v Channel 2>First words spoken.');
    const verbose = JSON.parse(
      await ask(test, [
        ['response_format', 'verbose_json'],
        ['timestamp_granularities[]', 'segment'],
        ['timestamp_granularities[]', 'word'],
      ]),
    );
    const told = verbose.segments.map(({ id, start, label }: Record<string, unknown>) => [id, start, label]);
    expect(told).toEqual([
      [0, 0.1, 'Channel 1'],
      [1, 0.1, 'Channel 2'],
      [2, 2.1, 'Channel 1'],
      [3, 2.1, 'Channel 2'],
    ]);
    expect(verbose.words[0]).toEqual({ word: 'First', start: 0.1, end: 0.4, label: 'Channel 1' });
    expect(test.engine.calls).toMatchObject({ streamsOpen: 0, opens: 8 });
  });

  it('is heard as asked', async () => {
    await using test = await startTestServer();
    const textOf = async (channels: string, file = call): Promise<string> =>
      JSON.parse(await ask(test, [['channels', channels]], file)).text;
    expect(await textOf('mix')).toBe(TEXT);
    expect(await textOf('2')).toBe(TEXT);
    expect(await textOf('auto', stereo(voice(1), voice(1)))).toBe(TEXT);
    expect(await textOf('each', stereo(voice(1), voice(1)))).toBe(both);
    expect(await textOf('each', wav(4_000))).toBe(TEXT);
  });

  it('is streamed channel by channel, once all of it is there', async () => {
    await using test = await startTestServer();
    const streamed = await ask(test, [['stream', 'true']]);
    const chunks = streamed.split('\n\n').flatMap((frame) => {
      const chunk = frame.startsWith('data: {') ? JSON.parse(frame.slice(6)) : {};
      const content = chunk.choices?.[0]?.delta.content;
      return content === undefined || content === '' ? [] : [[chunk.label, content]];
    });
    expect(chunks.map(([, content]) => content).join('')).toBe(` ${TEXT}\n${TEXT}`);
    expect(chunks.map(([label]) => label)).toEqual([
      ...new Array(6).fill('Channel 1'),
      ...new Array(6).fill('Channel 2'),
    ]);
    const mixed = await ask(test, [
      ['channels', 'mix'],
      ['stream', 'true'],
    ]);
    expect(mixed).not.toContain('label');
  });

  it('is refused with what is possible', async () => {
    await using test = await startTestServer();
    for (const [channels, sentence] of [
      ['left', 'channels is auto, mix, each, or the number of a channel, such as 1 or 2.'],
      ['3', 'This recording has 2 channels: channels may be auto, mix, each, or 1 to 2.'],
    ] as const) {
      const answer = await post(test, form([['channels', channels]], call));
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { message: sentence, param: 'channels' } });
    }
  });
});

describe('a stream', () => {
  it('has the chunks of vLLM, each an event of OpenAI’s, whether it was asked for before or behind the file', async () => {
    await using test = await startTestServer();
    for (const order of ['before', 'behind'] as const) {
      const fields: Fields = [
        ['stream', 'true'],
        ['stream_include_usage', '1'],
      ];
      const answer = await post(test, form(fields, wav(2000), order));
      expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      const frames = (await answer.text()).split('\n\n').map((frame) => frame.replace(/^data: /, ''));
      const [, id = '', created = ''] =
        /"id":"(transcribe-[0-9a-f]{32})".*"created":(\d+)/.exec(frames[0] ?? '') ?? [];
      const head = `"id":"${id}","object":"transcription.chunk","created":${created},"model":"scripted",`;
      const deltaOf = (delta: string): string => `{"type":"transcript.text.delta","delta":"${delta}",`;
      const usage = '{"type":"tokens","input_tokens":25,"output_tokens":3,';
      const counts = '"prompt_tokens":25,"total_tokens":28,"completion_tokens":3}';
      const done = `{"type":"transcript.text.done","text":"First words spoken.","usage":${usage}${counts},`;
      expect(frames).toEqual([
        `${deltaOf('First')}${head}"choices":[{"delta":{"content":" First"}}]}`,
        `${deltaOf(' words')}${head}"choices":[{"delta":{"content":" words"}}]}`,
        `${deltaOf(' spoken.')}${head}"choices":[{"delta":{"content":" spoken."}}]}`,
        `${done}${head}"choices":[{"delta":{"content":""},"finish_reason":"stop","stop_reason":null}]}`,
        `{${head}"choices":[],"usage":{"prompt_tokens":25,"total_tokens":28,"completion_tokens":3}}`,
        '[DONE]',
        '',
      ]);
    }
  });

  it('begins while the file is still being sent', async () => {
    await using test = await startTestServer();
    const upload = openUpload(test, [['stream', 'true']]);
    // A decoder looks at the first 64 KiB before it begins.
    upload.write(wav(60_000).subarray(0, 4_000 * 32));
    const first = await upload.firstData();
    expect(first).toContain('"content":" First"');
    upload.write(new Uint8Array(1000 * 32));
    upload.end();
    expect(await upload.rest()).toContain('data: [DONE]');
  });

  it('tells an error that comes after its first word', async () => {
    await using test = await startTestServer();
    const upload = openUpload(test, [['stream', 'true']]);
    upload.write(wav(60_000).subarray(0, 4_000 * 32));
    await upload.firstData();
    test.engine.loseWorker();
    upload.write(new Uint8Array(2000 * 32));
    upload.end();
    expect(await upload.rest()).toMatch(
      /data: \{"error":\{"message":".+","type":"InternalServerError","param":null,"code":500\}\}\n\ndata: \[DONE\]\n\n$/,
    );
  });
});

describe('a bad request', () => {
  const cases: readonly (readonly [string, FormData | string, number, Record<string, unknown>])[] = [
    [
      'no file',
      formOf([['model', 'scripted']]),
      422,
      { type: 'UnprocessableEntityError', param: 'file', code: 422 },
    ],
    ['a string for a file', formOf([['file', 'speech.wav']]), 422, { param: 'file' }],
    ['a body that is no form', 'hello', 422, { param: 'file' }],
    [
      'an unknown format of the answer',
      form([['response_format', 'xml']]),
      400,
      { param: 'response_format' },
    ],
    ['an unknown model', form([['model', 'nobody']]), 404, { type: 'NotFoundError', param: 'model' }],
    [
      'a language that is not heard',
      form([['language', 'ja']]),
      400,
      {
        param: 'language',
        message: 'The language Japanese (ja) is not heard here. This model hears English (en).',
      },
    ],
    ['what is no language', form([['language', 'klingonish']]), 400, { param: 'language' }],
    [
      'captions as a stream',
      form([
        ['response_format', 'srt'],
        ['stream', 'true'],
      ]),
      400,
      { param: 'response_format' },
    ],
    ['no boolean', form([['stream', 'maybe']]), 400, { param: 'stream' }],
    [
      'an unknown granularity',
      form([['timestamp_granularities[]', 'letter']]),
      400,
      { param: 'timestamp_granularities[]' },
    ],
    [
      'an unknown format of the file',
      form([], new Uint8Array(100_000).fill(7)),
      400,
      { param: 'file', code: 400 },
    ],
    ['a field that is too long', form([['prompt', 'x'.repeat(100_000)]]), 400, { type: 'BadRequestError' }],
    ['too many files', filesOf(5), 400, { message: expect.stringContaining('too many parts') }],
    ['more bytes than a form may have', filesOf(2, 20_000_000), 400, { type: 'BadRequestError' }],
    ['too many fields', form(Array.from({ length: 100 }, (_, n) => [`field${n}`, 'x'] as const)), 400, {}],
  ];
  it.each(cases)('with %s says what is wrong', async (_name, body, status, error) => {
    await using test = await startTestServer();
    const answer = await post(test, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({
      error: { message: expect.any(String), code: status, ...error },
    });
    await eventually(() => test.engine.calls.streamsOpen === 0);
    expect(await test.metric('kikitori_sessions_active')).toBe(0);
    expect(test.log.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('above the size limit has the text of vLLM, and the limit itself passes', async () => {
    const file = wav(2000);
    await using test = await startTestServer({ server: { httpLimits: { fileBytesMax: file.length } } });
    expect((await post(test, form([], file))).status).toBe(200);
    const longer = new Uint8Array(file.length + 1);
    longer.set(file);
    const answer = await post(test, form([], longer));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { message: 'Maximum file size exceeded' } });
  });

  it('of more samples than the server decodes is refused in a sentence', async () => {
    const file = wav(2000);
    const asked = async (fileSamplesMax: number): Promise<unknown> => {
      await using test = await startTestServer({ server: { httpLimits: { fileSamplesMax } } });
      const answer = await post(test, form([], file));
      return answer.ok ? 'heard' : await answer.json();
    };
    expect(await asked(32_000)).toBe('heard');
    expect(await asked(31_999)).toMatchObject({
      error: { code: 413, param: 'file', message: expect.stringMatching(/\.$/) },
    });
  });

  it('that was cut off says so', async () => {
    await using test = await startTestServer();
    const boundary = 'xyz';
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF`;
    const answer = await post(test, body, { 'content-type': `multipart/form-data; boundary=${boundary}` });
    expect(answer.status).toBe(400);
  });

  it('whose body stops arriving is ended', async () => {
    await using test = await startTestServer({ server: { httpLimits: { bodyStallMs: 50, discardMs: 50 } } });
    const upload = openUpload(test, []);
    upload.write(wav(60_000).subarray(0, 32_000));
    expect(await upload.rest()).toContain('"code":408');
    await eventually(() => test.engine.calls.streamsOpen === 0);
  });

  it('whose file takes too long is ended', async () => {
    await using test = await startTestServer({ server: { httpLimits: { fileMsMax: 50, discardMs: 50 } } });
    const upload = openUpload(test, []);
    upload.write(wav(60_000).subarray(0, 32_000));
    expect(await upload.rest()).toContain('"code":408');
  });
});

describe('a drain', () => {
  it('lets a running file finish', async () => {
    await using test = await startTestServer();
    const upload = openUpload(test, [['stream', 'true']]);
    const file = wav(5000);
    upload.write(file.subarray(0, 128_000));
    await eventually(() => test.engine.calls.samples > 0);
    const drained = test.server.drain({ deadlineMs: 60_000 });
    upload.write(file.subarray(128_000));
    upload.end();
    expect(await upload.rest()).toContain('data: [DONE]');
    await drained;
  });

  it('ends a file at its deadline', async () => {
    await using test = await startTestServer({ server: { httpLimits: { discardMs: 20 } } });
    const upload = openUpload(test, [['stream', 'true']]);
    upload.write(wav(5000).subarray(0, 128_000));
    await eventually(() => test.engine.calls.samples > 0);
    const drained = test.server.drain({ deadlineMs: 50 });
    expect(await upload.rest()).toContain('"code":503');
    await drained;
  });
});
