import { defineConfig } from 'vitest/config';

/** Needs Chromium and a built page (`npm run build:web`): `npx vitest run --config test/browser/vitest.config.ts` */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: { root: import.meta.dirname, include: ['*.spec.ts'], testTimeout: 60_000, hookTimeout: 90_000, maxWorkers: 1 },
});
