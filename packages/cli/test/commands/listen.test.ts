import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/errors.js';
import { main } from '../../src/main.js';
import { memoryContext } from '../memory-context.js';
import { noise, scriptedEngine } from './speech.js';

describe('kikitori listen', () => {
  it('writes what the microphone hears until Ctrl-C, and lets go of it', async () => {
    let closes = 0;
    const context = memoryContext({
      factories: {
        createEngine: async () => scriptedEngine(),
        listMicrophones: async () => [{ number: 0, name: 'usb' }],
        openMicrophone: async ({ device }) => {
          expect(device).toBe('usb');
          const samples = (async function* () {
            yield noise(1_600);
            await new Promise(() => undefined);
          })();
          const close = (): void => {
            closes += 1;
          };
          return { samples, close };
        },
      },
    });
    const exit = main(['listen', '--device', 'usb'], context);
    while (!context.stdout.text.includes('morning.\n')) await new Promise((resolve) => setImmediate(resolve));
    context.interrupt();
    expect(await exit).toBe(130);
    expect(context.stdout.text).toBe('Good morning.\n');
    expect(context.stderr.text).toBe('scripted hears English (en).\nListening; Ctrl-C ends.\n');
    expect(closes).toBeGreaterThan(0);
  });

  it('ends the engine when the microphone cannot be opened, and says what to do', async () => {
    const engine = scriptedEngine();
    const context = memoryContext({
      factories: {
        createEngine: async () => engine,
        listMicrophones: async () => [{ number: 0, name: 'muted' }],
        openMicrophone: () => Promise.reject(new CliError('service_failed', 'Plug one in.')),
      },
    });
    expect(await main(['listen'], context)).toBe(1);
    expect(context.stderr.text).toBe('scripted hears English (en).\nkikitori: Plug one in.\n');
    await expect(engine.open()).rejects.toMatchObject({ code: 'engine_closed' });
  });

  it('starts no engine when there is no microphone at all', async () => {
    const context = memoryContext({
      factories: {
        listMicrophones: async () => [],
        openMicrophone: () => Promise.reject(new CliError('service_failed', 'Plug one in.')),
      },
    });
    expect(await main(['listen'], context)).toBe(1);
    expect(context.stderr.text).toBe('kikitori: Plug one in.\n');
  });

  it('lists the microphones with the numbers that --device takes', async () => {
    const devices = [
      { number: 1, name: 'Built-in' },
      { number: 2, name: 'USB' },
    ];
    const context = memoryContext({ factories: { listMicrophones: async () => devices } });
    expect(await main(['listen', '--list-devices'], context)).toBe(0);
    expect(context.stdout.text).toBe('1  Built-in\n2  USB\n');
    const none = memoryContext({ factories: { listMicrophones: async () => [] } });
    expect(await main(['listen', '--list-devices'], none)).toBe(1);
  });
});
