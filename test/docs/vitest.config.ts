import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: { root: '.', include: ['test/docs/**/*.spec.ts'], globalSetup: ['test/global-setup.ts'], testTimeout: 300_000, hookTimeout: 90_000 },
});
