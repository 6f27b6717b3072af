import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCatalog } from '@app/catalog';
import { priceNetwork } from '@app/cost';
import { decode, pointFromCode } from '@app/decode';
import { calibrateDevice, doubtful } from './calibrate.js';
import { readMeasurements } from './measurement-file.js';

const dir = mkdtempSync(join(tmpdir(), 'caddis-calibrate-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = (name: string, content: unknown): string => {
  const path = join(dir, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const catalog = loadCatalog();
const space = catalog.space('nas-bench-201');
const CODES = ['031423', '333333', '111111', '213042', '424242', '130313', '022031', '401230', '343121', '210304'];
const OTHERS = ['332211', '144023', '033130', '223344'];

/** A device that is the GTX 1080 Ti with launches half as dear, measured with 1 % of noise up and down. */
function measurementOf(code: string, i: number): { space: string; architecture: string; latency: { value: number; unit: string } } {
  const cost = priceNetwork(decode(space, pointFromCode(code), { numClasses: 10, inputChannels: 3 }), catalog.device('gtx-1080-ti'), 'fp32');
  return { space: 'nas-bench-201', architecture: code, latency: { value: cost.latency.value * 500 * (1 + (i % 2 === 0 ? 0.01 : -0.01)), unit: 'ms' } };
}

describe('caddis calibrate', () => {
  it('makes a new device of ten measured networks that predicts networks it has not seen', () => {
    const path = file('ten.json', { measurements: CODES.map(measurementOf) });
    const { before, after, profile, base } = calibrateDevice(catalog, 'my-card', readMeasurements(path), path);
    expect(base.id).not.toBe('my-card');
    expect(after.mape).toBeLessThan(0.03);
    expect(after.mape).toBeLessThan(before.mape);
    OTHERS.forEach((code) => {
      const due = measurementOf(code, 0).latency.value / 1000 / 1.01;
      const cost = priceNetwork(decode(space, pointFromCode(code), { numClasses: 10, inputChannels: 3 }), profile, 'fp32');
      expect(Math.abs(cost.latency.value / due - 1)).toBeLessThan(0.05);
      expect(cost.latency.low).toBeLessThan(due);
      expect(cost.latency.high).toBeGreaterThan(due);
    });
  });

  it('reads units and energy, and fits energy where it was metered', () => {
    const rows = CODES.map((code, i) => ({ ...measurementOf(code, i), energy: { value: measurementOf(code, i).latency.value * 80, unit: 'mJ' } }));
    const path = file('energy.json', { precision: 'fp32', runtime: 'pytorch-eager', measurements: rows });
    const { profile } = calibrateDevice(catalog, 'my-card', readMeasurements(path), path);
    const cost = priceNetwork(decode(space, pointFromCode('332211'), { numClasses: 10, inputChannels: 3 }), profile, 'fp32');
    expect(cost.energy.value / cost.latency.value).toBeCloseTo(80, -1);
  });

  it('names the measurement that all others contradict: seconds for milliseconds', () => {
    const rows = CODES.map((code, i) => (i === 4 ? { ...measurementOf(code, i), latency: { ...measurementOf(code, i).latency, unit: 's' } } : measurementOf(code, i)));
    const path = file('seconds.json', { precision: 'fp32', runtime: 'pytorch-eager', measurements: rows });
    expect(doubtful(calibrateDevice(catalog, 'my-card', readMeasurements(path), path).rows).map((r) => r.network)).toEqual([expect.stringContaining(CODES[4]!)]);
    const right = file('milliseconds.json', { precision: 'fp32', runtime: 'pytorch-eager', measurements: CODES.map(measurementOf) });
    expect(doubtful(calibrateDevice(catalog, 'my-card', readMeasurements(right), right).rows)).toEqual([]);
  });

  const row = measurementOf('333333', 0);
  it.each([
    ['a negative latency', [row, row, { ...row, latency: { value: -1, unit: 'ms' } }], '/measurements/2/latency/value: '],
    ['a unit missing', [row, { ...row, latency: { value: 1 } }, row], '/measurements/1/latency/unit: '],
    ['a bare number', [row, { ...row, latency: 3 }, row], '/measurements/1/latency: '],
    ['a network of no space', [{ latency: row.latency }, row, row], '/measurements/0: expected either model or space'],
    ['too few rows', [row, row], '/measurements: expected at least 3 measured networks'],
  ])('refuses %s and names the place', (_what, measurements, due) => {
    expect(() => readMeasurements(file('bad.json', { measurements }))).toThrow(due);
  });

  it.each([
    ['an unknown space', { ...row, space: 'nas-bench-999' }, 'no space "nas-bench-999"'],
    ['an unknown network', { ...row, architecture: '99' }, '--architecture'],
    ['a model that is not there', { model: 'none.onnx', latency: row.latency }, 'can\'t be read'],
  ])('refuses %s and names the row', (_what, bad, due) => {
    const path = file('unknown.json', { measurements: [row, row, bad] });
    expect(() => calibrateDevice(catalog, 'x', readMeasurements(path), path)).toThrow(new RegExp(`/measurements/2: .*${due}`));
  });
});
