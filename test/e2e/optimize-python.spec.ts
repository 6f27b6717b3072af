import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const examples = join(root, 'docs/examples');
const CLI = join(root, 'dist/apps/cli/src/main.js');

let dir: string;
beforeAll(() => { dir = mkdtempSync(join(tmpdir(), 'caddis-python-')); });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Optimized {
  readonly trials: readonly { readonly parameters: Record<string, unknown>; readonly metrics: Record<string, number>; readonly state: string; readonly proposedBy: string }[];
  readonly front: readonly number[];
  readonly hypervolume: number;
}

describe('the blackbox of docs/examples: mixed variables, two objectives, a constraint, in Python', () => {
  it('killed with -9 in the middle goes on to the result of an undisturbed run', { timeout: 300_000 }, async () => {
    // Slow enough to be met in the middle of evaluations.
    const slow = readFileSync(join(examples, 'blackbox.py'), 'utf8').replace('for line in sys.stdin:\n', 'import time\nfor line in sys.stdin:\n    time.sleep(0.05)\n');
    expect(slow).toContain('time.sleep');
    writeFileSync(join(dir, 'blackbox.py'), slow);
    writeFileSync(join(dir, 'problem.yaml'), readFileSync(join(examples, 'problem.yaml'), 'utf8'));
    const args = (out: string): string[] => [CLI, 'optimize', join(dir, 'problem.yaml'), '--algorithm', 'mads', '--budget', '80', '--seed', '5', '--out', join(dir, out), '--json'];
    const whole = JSON.parse(spawnSync(process.execPath, args('whole'), { encoding: 'utf8' }).stdout) as Optimized;
    expect(whole.trials).toHaveLength(80);
    expect(whole.trials.some((t) => t.state === 'infeasible')).toBe(true);
    const kept = (): number => {
      try {
        return readFileSync(join(dir, 'cut/journal.jsonl'), 'utf8').length;
      } catch {
        return 0;
      }
    };
    let deaths = 0;
    for (const more of [2000, 6000, 4000]) {
      const before = kept();
      const child = spawn(process.execPath, args('cut'), { stdio: 'ignore', detached: true });
      const exit = once(child, 'exit');
      while (child.exitCode === null && kept() < before + more) await new Promise((resolve) => setTimeout(resolve, 20));
      if (child.exitCode === null && child.kill('SIGKILL')) deaths++;
      await exit;
    }
    expect(deaths).toBeGreaterThan(0);
    const resumed = JSON.parse(spawnSync(process.execPath, args('cut'), { encoding: 'utf8' }).stdout) as Optimized;
    expect({ trials: resumed.trials, front: resumed.front, hypervolume: resumed.hypervolume }).toEqual({ trials: whole.trials, front: whole.front, hypervolume: whole.hypervolume });
  });
});

describe('pruning ratios by the lower confidence bound', () => {
  const script = join(examples, 'pruning_ratios.py');
  const python = (...args: string[]): { y: number; error: number; params: number; size: number; ratios: Record<string, number> } => {
    const { status, stdout, stderr } = spawnSync('python3', [script, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  };

  it('leave of parameters and bits what a recount of the thesis\' Table 4.1 leaves, next to the totals it prints', () => {
    const { error, params, size } = python('--report');
    // Inner convolutions and the matching inputs after them: 26.7 % and 11.2 %; printed 25.5 % and 10.63 % (section 4.4, Table 4.5).
    expect(100 - params).toBeCloseTo(26.7, 1);
    expect(100 - size).toBeCloseTo(11.2, 1);
    expect(Math.abs(100 - params - 25.5)).toBeLessThan(1.3);
    expect(Math.abs(100 - size - 10.63)).toBeLessThan(0.7);
    expect(100 - error).toBeCloseTo(49.48, 10);
  });

  it('are found layer after layer in five observations and five explorations each', { timeout: 300_000 }, () => {
    const { ratios } = python('--caddis', `${process.execPath} ${CLI}`, '--layers', 'conv4,conv12,conv16');
    expect(ratios['conv4']).toBeLessThan(0.02);
    expect(Math.abs(ratios['conv12']! - 0.2553)).toBeLessThan(0.02);
    expect(ratios['conv16']).toBeGreaterThan(0.36);
  });
});
