import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';

const root = join(import.meta.dirname, '../..');
const pages = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', ...readdirSync(join(root, 'docs')).filter((f) => f.endsWith('.md')).map((f) => `docs/${f}`)];
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** Blocks marked `sh run`: they need nothing but the checkout. Those marked `sh run server` have a server at $CADDIS. */
function blocks(text: string): { script: string; server: boolean }[] {
  return [...text.matchAll(/^```sh run( server)?\n([\s\S]*?)^```/gm)].map((m) => ({ script: m[2]!, server: m[1] !== undefined }));
}

let service: ServiceProcess;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'caddis-docs-'));
  service = await ServiceProcess.serve({ CADDIS_DATA_DIR: join(dir, 'data') });
});
afterAll(async () => {
  await service.terminate();
  rmSync(dir, { recursive: true, force: true });
  rmSync(join(root, 'caddis-out'), { recursive: true, force: true });
});

describe.each(pages)('%s', (page) => {
  const found = blocks(read(page));
  it.runIf(found.length > 0).each(found.map((b) => [b.script.split('\n')[0]!, b] as const))('runs: %s', (_, { script }) => {
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], { cwd: root, env: { ...process.env, CADDIS: service.url }, encoding: 'utf8', timeout: 280_000 });
    expect(status, `${script}\n${stdout.slice(-2000)}\n${stderr.slice(-4000)}`).toBe(0);
  });

  it('links to files that are there', () => {
    const links = [...read(page).matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)].map((m) => m[1]!).filter((l) => !l.includes('://'));
    expect(links.filter((l) => !existsSync(join(root, dirname(page), l)))).toEqual([]);
  });
});
