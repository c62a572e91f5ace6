import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelServerCommand } from '../../src/supervisor/model-command.js';

const empty = mkdtempSync(join(tmpdir(), 'kikitori-model-'));
const filled = mkdtempSync(join(tmpdir(), 'kikitori-model-'));
writeFileSync(join(filled, 'config.json'), '{}');

const MODULE = ['python3', '-m', 'vllm.entrypoints.openai.api_server'] as const;
const UPSTREAM = 'ws://127.0.0.1:8081/v1/realtime';

/** The command line, a word that holds a space in quotes. */
function build(
  command: readonly [string, ...string[]],
  env: Record<string, string> = {},
  { upstream = UPSTREAM, modelDirectory = empty } = {},
): string {
  const built = modelServerCommand(command, env, { upstream, modelDirectory });
  return built.command.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ');
}

function overruled(command: readonly [string, ...string[]], env: Record<string, string>): readonly string[] {
  return modelServerCommand(command, env, { upstream: UPSTREAM, modelDirectory: empty }).overruled;
}

describe('modelServerCommand', () => {
  it('gives any server the port of the upstream, and what the environment says', () => {
    const env = { SM_VLLM_MODEL: 'a/b', SM_VLLM_ENFORCE_EAGER: 'true', SM_VLLM_PORT: '8080' };
    expect(build(['serve-it', '--own'], env)).toBe('serve-it --own --port 8081 --model a/b --enforce-eager');
    expect(build(['serve-it'], {}, { upstream: 'wss://model.example/v1/realtime' })).toBe(
      'serve-it --port 443',
    );
  });

  it('names the model to the module with --model, and to vllm serve as its first word', () => {
    const env = { SM_VLLM_MODEL: 'a/b', SM_VLLM_MAX_MODEL_LEN: '45000', SM_VLLM_HOST: '::1' };
    expect(build(MODULE, env)).toBe(
      `${MODULE.join(' ')} --port 8081 --model a/b --host ::1 --max-model-len 45000`,
    );
    expect(build(['vllm', 'serve', '--dtype', 'half'], env)).toBe(
      'vllm serve a/b --dtype half --port 8081 --host ::1 --max-model-len 45000',
    );
    expect(build(['standard-supervisor', '/opt/bin/vllm', 'serve'], env)).toMatch(
      /^standard-supervisor \/opt\/bin\/vllm serve a\/b --port 8081 /,
    );
    expect(build(['python3', '-m', 'vllm.entrypoints.cli.main', 'serve'], env)).toMatch(
      / serve a\/b --port /,
    );
    expect(build(['vllm', 'serve'], {}, { modelDirectory: filled })).toMatch(`vllm serve ${filled} `);
  });

  it('does not name a model twice: the command holds', () => {
    const env = { SM_VLLM_MODEL: 'c/d' };
    expect(build(['vllm', 'serve', 'a/b'], env)).toBe('vllm serve a/b --port 8081 --host 127.0.0.1');
    for (const named of [['--model', 'a/b'], ['--model=a/b']]) {
      expect(build(['vllm', 'serve', ...named], env)).not.toContain('c/d');
      expect(build([...MODULE, ...named], env)).not.toContain('c/d');
    }
    expect(overruled(['vllm', 'serve', 'a/b'], env)).toEqual(['SM_VLLM_MODEL']);
    expect(overruled(['vllm', 'serve', 'a/b'], { HF_MODEL_ID: 'c/d' })).toEqual(['HF_MODEL_ID']);
    // The folder is nobody's word.
    expect(build([...MODULE, '--model', 'a/b'], {}, { modelDirectory: filled })).not.toContain(filled);
  });

  it('says no flag again that the command says, however it is written', () => {
    const env = { SM_VLLM_MAX_MODEL_LEN: '45000', SM_VLLM_ENFORCE_EAGER: 'true', SM_VLLM_DTYPE: 'half' };
    const command = [...MODULE, '--max_model_len=128', '--no-enforce-eager'] as const;
    expect(build(command, env)).toBe(`${command.join(' ')} --port 8081 --host 127.0.0.1 --dtype half`);
    expect(overruled(command, env)).toEqual(['SM_VLLM_ENFORCE_EAGER', 'SM_VLLM_MAX_MODEL_LEN']);
  });

  it('refuses a port on which the bridge would not find it, and takes the same one', () => {
    for (const given of [['--port', '8000'], ['--port=8000'], ['--port']]) {
      expect(() => build([...MODULE, ...given])).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    }
    expect(build([...MODULE, '--port', '8081'])).toBe(`${MODULE.join(' ')} --port 8081 --host 127.0.0.1`);
  });

  it('lets vLLM listen on no other address than the bridge asks, unless it is told', () => {
    expect(build(MODULE, {}, { upstream: 'ws://[::1]:8081/v1/realtime' })).toMatch(/ --host ::1$/);
    expect(build(MODULE, {}, { upstream: 'ws://10.0.0.7:8081/v1/realtime' })).not.toContain('--host');
    expect(build([...MODULE, '--host', '0.0.0.0'])).not.toContain('127.0.0.1');
    expect(build([...MODULE, '--host', '0.0.0.0'], { SM_VLLM_HOST: '127.0.0.1' })).not.toContain('127.0.0.1');
    // Others need not know the flag.
    expect(build(['serve-it'])).not.toContain('--host');
  });

  it('keeps JSON and values with spaces one word each', () => {
    const env = { SM_VLLM_COMPILATION_CONFIG: '{"cudagraph_mode": "PIECEWISE"}', SM_VLLM_OTHER: 'two words' };
    expect(build(['vllm', 'serve', 'a/b'], env)).toBe(
      `vllm serve a/b --port 8081 --host 127.0.0.1 --compilation-config '{"cudagraph_mode": "PIECEWISE"}' --other 'two words'`,
    );
  });
});
