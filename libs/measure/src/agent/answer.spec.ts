import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EvaluatorError } from '@app/study';
import { AGENT_FAULTS } from './agent.js';
import { answerObject, readAnswer, type Readings } from './answer.js';

const read = (text: string): Readings => readAnswer(answerObject(text)!, 7);
const fault = (text: string): [string, string] => {
  try {
    read(text);
  } catch (error) {
    if (error instanceof EvaluatorError) return [error.reason, error.message];
    throw error;
  }
  throw new Error('was taken');
};

describe('an agent\'s answer', () => {
  it('is read into s, J and B', () => {
    expect(read('{"id":7,"latency":{"median":3.2,"unit":"ms","low":3,"high":4},"energy":{"median":850,"unit":"µJ"},"memory":{"median":96,"unit":"KiB"},"note":"warm"}')).toEqual({
      latency: { value: 0.0032, interval: [0.003, 0.004] }, energy: { value: 850e-6 }, peakRam: { value: 98304 },
    });
  });

  it('may carry its samples, whose median and 90 % are taken', () => {
    const samples = Array.from({ length: 21 }, (_, i) => 100 + i);
    expect(read(JSON.stringify({ id: 7, latency: { samples, unit: 'us' } }))).toEqual({ latency: { value: expect.closeTo(110e-6, 12) as number, runs: 21, interval: [expect.closeTo(101e-6, 12), expect.closeTo(119e-6, 12)] } });
    expect(read('{"id":7,"latency":{"samples":[2,1,3],"unit":"s"}}')).toEqual({ latency: { value: 2, runs: 3 } });
  });

  it.each([
    ['{"id":7,"latency":{"median":-3,"unit":"ms"}}', 'invalid-measurement', 'latency.median: expected a positive finite number, got -3'],
    ['{"id":7,"latency":{"median":0,"unit":"ms"}}', 'invalid-measurement', 'latency.median: expected a positive finite number, got 0'],
    ['{"id":7,"latency":{"median":NaN,"unit":"ms"}}', 'invalid-measurement', 'latency.median: expected a positive finite number, got NaN'],
    ['{"id":7,"latency":{"median":-Infinity,"unit":"ms"}}', 'invalid-measurement', 'latency.median: expected a positive finite number, got -Infinity'],
    ['{"id":7,"latency":{"median":1e999,"unit":"ms"}}', 'invalid-measurement', 'latency.median: expected a positive finite number, got Infinity'],
    ['{"id":7,"latency":{"median":"3","unit":"ms"}}', 'invalid-measurement', 'latency.median: expected a positive finite number, got "3"'],
    ['{"id":7,"latency":{"median":3}}', 'invalid-measurement', 'latency.unit: expected one of s, ms, us, µs, ns, got none'],
    ['{"id":7,"latency":{"median":3,"unit":"mJ"}}', 'invalid-measurement', 'latency.unit: expected one of s, ms, us, µs, ns, got "mJ"'],
    ['{"id":7,"energy":{"median":3,"unit":"ms"}}', 'invalid-measurement', 'energy.unit: expected one of J, mJ, uJ, µJ, nJ, got "ms"'],
    ['{"id":7,"latency":3.2}', 'invalid-measurement', 'latency: expected an object with median (or samples) and unit, got 3.2'],
    ['{"id":7,"latency":{"mean":3,"unit":"ms"}}', 'invalid-measurement', 'latency.mean: expected median or samples, unit, low and high only, got 3'],
    ['{"id":7,"latency":{"unit":"ms"}}', 'invalid-measurement', 'latency: expected either median or samples, got {"unit":"ms"}'],
    ['{"id":7,"latency":{"samples":[],"unit":"ms"}}', 'invalid-measurement', 'latency.samples: expected 1 to 100000 numbers, got []'],
    ['{"id":7,"latency":{"samples":[1,-2],"unit":"ms"}}', 'invalid-measurement', 'latency.samples[1]: expected a positive finite number, got -2'],
    ['{"id":7,"latency":{"median":3,"unit":"ms","low":4,"high":5}}', 'invalid-measurement', 'latency: expected low ≤ median ≤ high, got {"median":3,"unit":"ms","low":4,"high":5}'],
    ['{"id":7,"latency":{"median":3,"unit":"ms","low":2}}', 'invalid-measurement', 'latency.high: expected a positive finite number, got none'],
    ['{"id":8,"latency":{"median":3,"unit":"ms"}}', 'agent-wrong-id', 'id: expected 7, got 8'],
    ['{"id":"7","latency":{"median":3,"unit":"ms"}}', 'agent-wrong-id', 'id: expected 7, got "7"'],
    ['{"latency":{"median":3,"unit":"ms"}}', 'agent-wrong-id', 'id: expected 7, got none'],
    ['{"id":7,"error":"does not fit into SRAM"}', 'agent-error', 'does not fit into SRAM'],
  ])('is refused with the place named: %s', (text, reason, message) => {
    expect(fault(text)).toEqual([reason, message]);
  });

  it('is none where a line is no object', () => {
    expect(['ready', '[1]', '7', '', '{"id":7'].map(answerObject)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });
});

it('every reason stands in the documentation, with whether it is tried again', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/devices.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| .+ \| (yes|no) \|$/gm)].map((m) => [m[1], m[2] === 'yes']);
  expect(Object.fromEntries(rows)).toEqual(AGENT_FAULTS);
});
