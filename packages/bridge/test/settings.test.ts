import { describe, expect, it } from 'vitest';
import { DEFAULT_MODEL_SERVER, parseBridgeSettings } from '../src/settings.js';

describe('parseBridgeSettings', () => {
  it('knows SageMaker’s port, path and vLLM’s address without being told', () => {
    const settings = parseBridgeSettings([], {});
    expect(settings).toMatchObject({
      port: 8080,
      host: '0.0.0.0',
      upstream: 'ws://127.0.0.1:8081/v1/realtime',
      emf: false,
      logLevel: 'info',
      modelServer: undefined,
    });
    expect([...settings.paths]).toEqual([
      ['/invocations-bidirectional-stream', { path: undefined, isBinary: false }],
      ['/v1/realtime', { path: undefined, isBinary: false }],
    ]);
  });

  it('takes flags before the environment, and counts an empty variable as unset', () => {
    const env = {
      KIKITORI_BRIDGE_PORT: '9000',
      KIKITORI_BRIDGE_HOST: '',
      KIKITORI_BRIDGE_EMF: 'true',
      KIKITORI_BRIDGE_PATHS: '/a, /b=/c',
      KIKITORI_BRIDGE_DRAIN_SECONDS: '5',
      KIKITORI_BRIDGE_ALLOW_ORIGIN: 'https://a.example, https://b.example',
    };
    const settings = parseBridgeSettings(['--port', '9001'], env);
    expect(settings).toMatchObject({ port: 9001, host: '0.0.0.0', emf: true, limits: { drainMs: 5000 } });
    expect(settings.allowedOrigins).toEqual(['https://a.example', 'https://b.example']);
    expect([...settings.paths].slice(2)).toEqual([
      ['/a', { path: undefined, isBinary: false }],
      ['/b', { path: '/c', isBinary: false }],
    ]);
  });

  it('knows where files over HTTP lead: to OpenAI’s route unless it is told another, or off', () => {
    const read = (text: string) => parseBridgeSettings(['--invocations', text], {}).invocations;
    expect(parseBridgeSettings([], {}).invocations).toBeUndefined();
    expect([read('/v1/listen'), read('off')]).toEqual(['/v1/listen', false]);
    expect(parseBridgeSettings([], { KIKITORI_BRIDGE_INVOCATIONS: 'off' }).invocations).toBe(false);
    for (const text of ['on', 'v1/listen', '/a=/b', 'http://h/']) {
      expect(() => read(text), text).toThrow(/^--invocations must be a path like/);
    }
  });

  it('gives the command behind --exec the arguments of vLLM, or none', () => {
    const env = { SM_VLLM_MODEL: 'm', PROCESS_AUTO_RECOVERY: 'false', PROCESS_MAX_START_RETRIES: '1' };
    const words = ['--exec', '--', 'vllm-server', '--flag'];
    expect(parseBridgeSettings(words, env).modelServer).toEqual({
      command: ['vllm-server', '--flag', '--port', '8081', '--model', 'm'],
      overruled: [],
      isRestarted: false,
      startRetriesMax: 1,
    });
    expect(parseBridgeSettings(['--exec-arguments', 'none', ...words], env).modelServer?.command).toEqual([
      'vllm-server',
      '--flag',
    ]);
  });

  it('runs with `serve` as SageMaker calls it: vLLM, or what KIKITORI_BRIDGE_EXEC says', () => {
    const upstream = { KIKITORI_BRIDGE_UPSTREAM: 'ws://127.0.0.1:7000/v1/realtime', SM_VLLM_MODEL: 'm' };
    expect(parseBridgeSettings(['serve'], upstream).modelServer).toEqual({
      command: [...DEFAULT_MODEL_SERVER, '--port', '7000', '--model', 'm', '--host', '127.0.0.1'],
      overruled: [],
      isRestarted: true,
      startRetriesMax: 3,
    });
    for (const exec of ['["a", "b c"]', 'a b']) {
      const env = { KIKITORI_BRIDGE_EXEC: exec, KIKITORI_BRIDGE_EXEC_ARGUMENTS: 'none' };
      const command = exec === 'a b' ? ['a', 'b'] : ['a', 'b c'];
      expect(parseBridgeSettings(['serve'], env).modelServer?.command).toEqual(command);
    }
  });

  it.each([
    [['--nonsense']],
    [['--port', 'x']],
    [['--port', '70000']],
    [['listen']],
    [['--', 'a']],
    [['--exec']],
    [['--log-level', 'loud']],
    [['--paths', 'a']],
    [['--exec-arguments', 'some', '--exec', '--', 'a']],
    [['--exec', '--', 'a', '--port', '8000']],
  ])('refuses %j with a sentence', (argv) => {
    expect(() => parseBridgeSettings(argv, {})).toThrowError(
      expect.objectContaining({ code: 'invalid_option' }),
    );
  });

  it('refuses a group of short flags without taking it apart: that would take time that grows with the square of its length', () => {
    for (const word of ['-xyz', `-${'x'.repeat(400_000)}`, '-\nx']) {
      expect(() => parseBridgeSettings([word], {})).toThrow(
        expect.objectContaining({ code: 'invalid_option' }),
      );
    }
    // Behind -- stands a command of somebody else.
    expect(parseBridgeSettings(['--exec', '--', 'python3', '-mx'], {}).modelServer?.command).toContain('-mx');
  });

  it('refuses variables that cannot work', () => {
    for (const env of [
      { KIKITORI_BRIDGE_EXEC: '["a", 1]' },
      { KIKITORI_BRIDGE_EXEC: '[' },
      { KIKITORI_BRIDGE_EMF: 'maybe' },
      { KIKITORI_BRIDGE_EXEC: 'a', PROCESS_MAX_START_RETRIES: '-1' },
    ]) {
      expect(() => parseBridgeSettings([], env)).toThrowError(
        expect.objectContaining({ code: 'invalid_option' }),
      );
    }
  });
});
