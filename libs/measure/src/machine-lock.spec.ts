import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { holdMachine } from './machine-lock.js';

const never = new AbortController().signal;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const name = (what: string): string => `${what} ${process.pid}`;

describe('a lock on the machine', () => {
  it('is held by one at a time, and all get it', async () => {
    let holders = 0;
    let most = 0;
    await Promise.all(Array.from({ length: 6 }, async () => {
      const release = await holdMachine(name('one'), never);
      most = Math.max(most, ++holders);
      await pause(5);
      holders--;
      await release();
    }));
    expect([most, holders]).toEqual([1, 0]);
  });

  it('does not hold what has another name', async () => {
    const a = await holdMachine(name('a'), never);
    const b = await holdMachine(name('b'), never);
    await Promise.all([a(), b()]);
  });

  it('stops waiting when it is told to, with the reason', async () => {
    const release = await holdMachine(name('busy'), never);
    const abort = new AbortController();
    const waiting = holdMachine(name('busy'), abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await release();
  });

  it.runIf(process.platform === 'linux')('is given back by a process that is killed', async () => {
    const address = JSON.stringify(`\0caddis-measure-${(await import('node:crypto')).createHash('sha256').update(name('killed')).digest('hex').slice(0, 24)}`);
    const child = spawn(process.execPath, ['-e', `require('node:net').createServer().listen(${address}, () => console.log('held'))`], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout!, 'data');
    const impatient = AbortSignal.timeout(150);
    await expect(holdMachine(name('killed'), impatient)).rejects.toThrow(/timeout/i);
    child.kill('SIGKILL');
    const release = await holdMachine(name('killed'), AbortSignal.timeout(5000));
    await release();
  });
});
