import { defineConfig } from 'vitest/config';

// Across packages the tests run against the built `dist`: worker threads cannot load TypeScript on Node 20.
export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Two cores are the smallest machine we promise anything for; the engine tests want one to themselves.
    maxWorkers: 2,
  },
});
