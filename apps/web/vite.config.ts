import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: '/',
  plugins: [react()],
  resolve: { alias: [{ find: /^@app\/([a-z]+)$/, replacement: `${here('../../libs')}/$1/src/index.ts` }] },
  server: { proxy: { '/v1': process.env['CADDIS_API'] ?? 'http://127.0.0.1:3000' } },
  build: {
    outDir: here('../../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // the chart library is one chunk, fetched only by pages that draw
    chunkSizeWarningLimit: 800,
    // an inlined font or image would need data: in the content security policy
    assetsInlineLimit: 0,
  },
});
