import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { throttled } from './throttle.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a throttle', () => {
  it('sends the first at once and of the others the latest', async () => {
    const sent: number[] = [];
    const { push } = throttled(async (n: number) => sent.push(n), 100);
    [1, 2, 3].forEach(push);
    expect(sent).toEqual([1]);
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toEqual([1, 3]);
    await vi.advanceTimersByTimeAsync(1000);
    push(4);
    expect(sent).toEqual([1, 3, 4]);
  });

  it('waits for a slow taker, goes on after a refusal, and is still once stopped', async () => {
    const sent: number[] = [];
    const { push, stop } = throttled(async (n: number) => {
      sent.push(n);
      await new Promise((resolve) => setTimeout(resolve, 500));
      throw new Error('no');
    }, 100);
    [1, 2].forEach(push);
    await vi.advanceTimersByTimeAsync(599);
    expect(sent).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual([1, 2]);
    push(3);
    stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual([1, 2]);
  });
});
