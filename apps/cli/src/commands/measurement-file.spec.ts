import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readMeasurements } from './measurement-file.js';

const dir = mkdtempSync(join(tmpdir(), 'caddis-rows-'));
afterAll(() => rmSync(dir, { recursive: true }));

const row = (change: object = {}): object => ({ space: 'nas-bench-201', architecture: '031423', classes: 10, precision: 'fp32', runtime: 'onnx-runtime', date: '2026-11-24', latency: { value: 0.002, unit: 's' }, measured: { threads: 1 }, ...change });
const file = (lines: readonly (object | string)[]): string => {
  const path = join(dir, 'rows.jsonl');
  writeFileSync(path, lines.map((l) => `${typeof l === 'string' ? l : JSON.stringify(l)}\n`).join(''));
  return path;
};

describe('rows of measurements, a line each', () => {
  it('are a file whose lines say once for all what agrees', () => {
    const read = readMeasurements(file([row(), row({ architecture: '111111', energy: { value: 3, unit: 'mJ' } }), row({ space: undefined, architecture: undefined, classes: undefined, model: 'net.onnx', latency: { value: 3, unit: 'ms' }, date: '2026-11-25' })]));
    expect(read).toMatchObject({ precision: 'fp32', runtime: 'onnx-runtime', date: '2026-11-25' });
    expect(read.measurements.map((m) => [m.pointer, m.name, m.latency, m.energy])).toEqual([
      ['line 1', 'nas-bench-201 031423 / 10', 0.002, undefined], ['line 2', 'nas-bench-201 111111 / 10', 0.002, 0.003], ['line 3', 'net.onnx', 0.003, undefined],
    ]);
  });

  it.each([
    ['a negative latency', [row(), row({ latency: { value: -2, unit: 'ms' } }), row()], /^\S+rows\.jsonl line 2 \/latency\/value: .*>0.*got -2$/],
    ['no unit', [row(), row(), row({ latency: { value: 2 } })], /^\S+ line 3 \/latency\/unit: /],
    ['an unknown field', [row({ mood: 'calm' }), row(), row()], /^\S+ line 1 \/mood: unknown field "mood"$/],
    ['neither model nor space', [row({ space: undefined, architecture: undefined }), row(), row()], /^\S+ line 1: expected either model or space$/],
    ['two precisions', [row(), row({ precision: 'int8' }), row()], /^\S+ line 2 \/precision: expected "fp32" as on line 1, got "int8"; a fit is for one$/],
    ['half a line', [row(), '{"space": "nas'], /^\S+ line 2: not JSON/],
    ['a list', ['[]'], /^\S+ line 1: expected an object, got \[\]$/],
    ['too few', [row(), row()], /^\S+ \/measurements: expected at least 3 measured networks/],
  ])('are refused with the line: %s', (_, lines, message) => {
    expect(() => readMeasurements(file(lines))).toThrow(message);
  });
});
