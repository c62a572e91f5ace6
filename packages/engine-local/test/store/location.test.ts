import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderName, homeFolder, storeRoot } from '../../src/store/location.js';

describe('the place of the store', () => {
  const root = (
    platform: NodeJS.Platform,
    env: Record<string, string> = {},
    home: string | undefined = '/home/ann',
  ) => storeRoot({ platform, env, home });

  it('is the cache folder of the platform', () => {
    expect(root('linux')).toBe('/home/ann/.cache/kikitori');
    expect(root('linux', { XDG_CACHE_HOME: '/var/cache/ann' })).toBe('/var/cache/ann/kikitori');
    expect(root('darwin')).toBe('/home/ann/Library/Caches/kikitori');
    expect(root('win32', { LOCALAPPDATA: 'D:\\Local' })).toBe('D:\\Local\\kikitori');
    expect(root('win32', {}, 'C:\\Users\\Ann')).toBe('C:\\Users\\Ann\\AppData\\Local\\kikitori');
  });

  it('ignores a relative XDG_CACHE_HOME, as its specification says', () => {
    expect(root('linux', { XDG_CACHE_HOME: 'cache' })).toBe('/home/ann/.cache/kikitori');
  });

  it('is KIKITORI_HOME where that is set', () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      expect(root(platform, { KIKITORI_HOME: '/models', XDG_CACHE_HOME: '/c' })).toBe(resolve('/models'));
    }
    expect(root('linux', { KIKITORI_HOME: '' })).toBe('/home/ann/.cache/kikitori');
  });

  it('is where the environment says, or nowhere, for a user without a home', () => {
    const homeless = (env: Record<string, string>) => storeRoot({ platform: 'linux', env, home: undefined });
    expect(homeless({ KIKITORI_HOME: '/models' })).toBe(resolve('/models'));
    expect(homeless({ XDG_CACHE_HOME: '/c' })).toBe('/c/kikitori');
    expect(() => homeless({})).toThrow(
      expect.objectContaining({
        code: 'model_unavailable',
        message: expect.stringContaining('KIKITORI_HOME'),
      }),
    );
  });

  it.skipIf(process.platform === 'win32').each(['', 'relative'])(
    'is not in the working folder where HOME is "%s"',
    (HOME) => {
      expect(homeFolder({ HOME })).toMatch(/^\//);
    },
  );

  it('names folders so that every file system takes them', () => {
    expect(folderName('base')).toBe('base');
    expect(folderName('hf:a/b@refs/pr/1')).toBe('hf--a--b--refs--pr--1');
  });
});
