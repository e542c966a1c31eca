import { defineConfig } from 'vitest/config';

/** `npm run fuzz`: longer than a test run should take, but bounded and seeded. */
export default defineConfig({
  test: { include: ['test/fuzz/**/*.fuzz.ts'], testTimeout: 600_000 },
});
