import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Vitest leaves a core to itself, which is half of a machine with two.
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: '100%',
  },
});
