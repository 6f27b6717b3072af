import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServiceProcess } from '../support/service-process.js';
import { FLAGS } from './flags.js';

const KEY = 'correct-horse-battery';
let dir: string;
let service: ServiceProcess;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'caddis-sign-in-'));
  service = await ServiceProcess.serve({ CADDIS_DATA_DIR: dir, CADDIS_API_KEY: KEY });
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
  page = await browser.newPage();
});
afterAll(async () => {
  await browser?.close();
  await service?.terminate();
  rmSync(dir, { recursive: true, force: true });
});

it('the page of a service with a key asks for it, says when it is wrong, and then shows studies and their events', async () => {
  const created = await fetch(`${service.url}/v1/studies`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'x-api-key': KEY },
    body: JSON.stringify({ name: 'behind a key', searchSpace: 'nas-bench-201', accuracy: { method: 'table' }, objectives: [{ metric: 'accuracy', direction: 'maximize' }, { metric: 'macs' }], algorithm: { name: 'random' }, budget: { maxTrials: 20 } }),
  });
  expect(created.status).toBe(201);
  await page.goto(`${service.url}/studies`);
  await page.getByLabel('API key').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  expect(await page.getByRole('alert').innerText()).toContain('not the key of this service');
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'behind a key' }).first().click();
  await page.getByRole('heading', { name: 'behind a key' }).waitFor();
  const stream = await page.evaluate((path) => new Promise<string>((resolve) => {
    const events = new EventSource(path);
    events.onopen = () => resolve('open');
    events.onerror = () => resolve('refused');
  }), `/v1/studies/${((await created.json()) as { id: string }).id}/events`);
  expect(stream).toBe('open');
});
