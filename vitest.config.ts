import { defineConfig } from 'vitest/config';

/**
 * Browsers, and commands in processes of their own. Not `reliability`, which makes a network: a browser that notices a new
 * interface gives up what it is loading (ERR_NETWORK_CHANGED), so no browser may run beside it.
 */
const END_TO_END = ['test/browser/**/*.test.ts', 'test/e2e/**/!(reliability).test.ts'];
/** What hears at the pace of speech, through a sound system or a browser's microphone. */
const MICROPHONES = ['test/browser/live-{killed,speech}.test.ts', 'test/e2e/listen.test.ts'];
/** What starts the real vLLM, of which one is enough for a machine. Skipped where it is not installed. */
const REAL_VLLM = ['test/vllm/!(stand-in*).test.ts'];

/** Files of one worker share their modules: half of the time was loading the same ones again. */
export const SHARED = ['{packages,apps}/*/test/**/*.test.ts'];
/**
 * Those that replace modules, globals or the environment want all of it for themselves (`test/tidy` holds the others to
 * taking it back), and so do real models.
 */
export const ALONE = [
  'packages/audio/test/file/*.test.ts',
  'packages/bridge/test/wire/fallback.test.ts',
  'packages/cli/test/hostile-text.test.ts',
  'packages/client/test/browser/*.test.ts',
  'packages/engine-local/test/**/*.test.ts',
  'packages/sagemaker/test/client/connect.test.ts',
  'packages/server/test/uploads.test.ts',
  'packages/transport/test/ws/browser.test.ts',
];

// Across packages the tests run against the built `dist`: worker threads cannot load TypeScript on Node 20.
export default defineConfig({
  test: {
    // What is built already is loaded by Node itself, not brought through vite a module at a time.
    server: { deps: { external: [/\/dist\/.*\.js$/] } },
    // What a developer has configured for AWS is no matter of a test: each says what it wants.
    env: {
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
    },
    testTimeout: 30_000,
    // What a test waits for ends with the test, not by a clock of its own that a busy machine would run out.
    expect: { poll: { timeout: 120_000 } },
    hookTimeout: 120_000,
    // Groups one after the other: two projects of one group would have their workers side by side.
    projects: [
      {
        extends: true,
        test: { name: 'packages', include: SHARED, exclude: ALONE, isolate: false, maxWorkers: 2 },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts', ...ALONE],
          exclude: [...END_TO_END, ...REAL_VLLM],
          // Two cores are the smallest machine we promise anything for; the engine tests want one to themselves.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'end to end',
          // What is late here is late and no less right.
          include: END_TO_END,
          exclude: MICROPHONES,
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real time',
          include: MICROPHONES,
          // After the others: a microphone whose machine is busy elsewhere loses sound. They listen, and compute little.
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: { name: 'real vLLM', include: REAL_VLLM, maxWorkers: 1, sequence: { groupOrder: 4 } },
      },
    ],
  },
});
