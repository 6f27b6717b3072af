import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FLAGS } from './flags.js';
import { startService, type Service } from './start-service.js';

let service: Service;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const faults: string[] = [];
const strangers: string[] = [];

beforeAll(async () => {
  service = await startService();
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  page = await context.newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) faults.push(message.text()); });
  page.on('request', (request) => { if (!request.url().startsWith(service.url) && !request.url().startsWith('blob:')) strangers.push(request.url()); });
});

afterAll(async () => {
  await browser?.close();
  await service?.close();
});

async function expectAccessible(what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(' | ')}`);
  expect(serious).toEqual([]);
}

describe('the page', () => {
  it('writes a study in a form that YAML follows, and back', async () => {
    await page.goto(`${service.url}/studies`);
    await page.getByRole('link', { name: 'New study' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('driven by a test');
    await page.getByRole('button', { name: 'YAML' }).click();
    const yaml = page.getByLabel('Specification as YAML');
    expect(await yaml.inputValue()).toContain('name: driven by a test');
    await yaml.fill((await yaml.inputValue()).replace(/maxTrials: \d+/, 'maxTrials: 60'));
    await page.getByRole('button', { name: 'Form' }).click();
    expect(await page.getByLabel('Trials at most').inputValue()).toBe('60');
    await expectAccessible('new study');
  });

  it('shows a fault at its field', async () => {
    await page.getByLabel('Trials at most').fill('many');
    await page.getByRole('button', { name: 'Check' }).click();
    await page.locator('[id="f-budget-maxTrials"][aria-invalid="true"]').waitFor();
    expect(await page.locator('[id="f-budget-maxTrials-note"]').innerText()).toMatch(/expected number/i);
    await page.getByLabel('Trials at most').fill('60');
    await expect.poll(() => page.locator('[aria-invalid="true"]').count()).toBe(0);
  });

  it('answers what the study would cost, and starts it', async () => {
    await page.getByRole('button', { name: 'Check' }).click();
    const answer = page.getByLabel('Answer of the check');
    await answer.waitFor();
    expect(await answer.innerText()).toMatch(/Takes about/);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.waitForURL(/\/studies\/[0-9a-f-]{36}/);
    await page.getByRole('heading', { name: 'driven by a test' }).waitFor();
  });

  it('follows the search without a reload', async () => {
    const bar = page.getByRole('progressbar', { name: 'Budget used' });
    await expect.poll(async () => Number(await bar.getAttribute('aria-valuenow')), { timeout: 40_000 }).toBeGreaterThan(10);
    await page.locator('.chip-completed').waitFor({ timeout: 50_000 });
  });

  it('draws the front and walks along it by keyboard', async () => {
    const chart = page.getByRole('application').first();
    await page.locator('.chart canvas').first().waitFor();
    await expect.poll(() => chart.getAttribute('aria-label')).toMatch(/the \d+ on the front/);
    await expectAccessible('front');
    await chart.focus();
    await page.keyboard.press('Home');
    const first = new URL(page.url()).searchParams.get('trial');
    await page.keyboard.press('End');
    expect(first).toMatch(/^\d+$/);
    expect(new URL(page.url()).searchParams.get('trial')).not.toBe(first);
  });

  it('shows the same trials as a table', async () => {
    await page.getByText('View as table').first().click();
    const chip = Number(await page.getByRole('tab', { name: /^Front/ }).locator('.count').innerText());
    expect(await page.getByRole('region', { name: 'Trials on the front' }).locator('tbody tr').count()).toBe(chip);
  });

  it('opens the trial with its network, never an estimate as a measurement', async () => {
    await page.getByRole('application').first().focus();
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('dialog', { name: /^Trial \d+/ });
    await drawer.waitFor();
    await drawer.locator('.layer').first().waitFor();
    const estimated = drawer.locator('.metrics tbody tr', { has: page.locator('.prov-estimated') });
    for (const row of await estimated.all()) expect(await row.innerText()).toMatch(/≈[\s\S]*–/);
    await expectAccessible('drawer');
  });

  it('exports the trial', async () => {
    await page.getByRole('button', { name: 'Export JSON' }).click();
    const link = page.getByRole('link', { name: /^Download/ });
    await link.waitFor({ timeout: 30_000 });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    expect(await download.failure()).toBeNull();
  });

  it('reproduces the view from its address, and Escape closes the drawer', async () => {
    const address = page.url();
    const second = await context.newPage();
    await second.goto(address);
    await second.getByRole('dialog', { name: /^Trial \d+/ }).waitFor();
    await second.close();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: /^Trial \d+/ }).waitFor({ state: 'detached' });
  });

  it.each(['Trade-off', 'Progress', 'Trials', 'Spec'])('has an accessible tab %s', async (name) => {
    await page.getByRole('tab', { name: new RegExp(`^${name}`) }).click();
    await page.locator('#tab-panel .panel').first().waitFor();
    await page.waitForTimeout(500);
    await expectAccessible(name);
  });

  it('lists the shortcuts on ? and the studies on g l', async () => {
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('l');
    await page.getByRole('heading', { name: 'Studies' }).waitFor();
    await page.getByRole('link', { name: 'driven by a test' }).first().waitFor();
    await expectAccessible('studies');
  });

  it('asks nobody but its own service and reports no error', () => {
    expect(strangers).toEqual([]);
    expect(faults).toEqual([]);
  });
});
