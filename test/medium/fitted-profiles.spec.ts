import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commonShape, fitWithShape, listCoefficients, type FittedModel } from '@app/cost';
import { parse } from 'yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { measure, type Measured } from '../../bench/hardware/evaluate.js';
import { nasSeries } from '../../bench/hardware/nas-series.js';
import { BOARDS, boardSeries, COLUMNS, columnSeries, dataHash } from '../../bench/hardware/profile-data.js';
import { WorkTable, type Series } from '../../bench/hardware/series.js';
import { tinySeries } from '../../bench/hardware/tiny-series.js';

const root = join(import.meta.dirname, '..', '..');
const profile = (id: string): { readonly latencyModel?: FittedModel; readonly energyModel?: FittedModel } => parse(readFileSync(join(root, 'hw-profiles', `${id}.yaml`), 'utf8')) as { latencyModel?: FittedModel };

let spaces: { readonly series: Series }[];
let single: Measured[];
beforeAll(() => {
  const data = join(root, 'bench', 'data', 'hardware');
  const works = new WorkTable();
  spaces = nasSeries(data, 1).map((series) => ({ series }));
  single = tinySeries(data).map((series) => measure(series, works));
});

describe('the fitted models that profiles carry', () => {
  it.each(Object.entries(COLUMNS).filter(([id]) => profile(id).latencyModel !== undefined))('%s rests on the rows of the shipped tables: count and hash', (id, column) => {
    const device = columnSeries(spaces, column).map((m) => m.series);
    const { fit } = profile(id).latencyModel!;
    expect([fit.rows, fit.dataHash]).toEqual([device.reduce((n, s) => n + s.rows.length, 0), dataHash(device)]);
  });

  it.each(Object.keys(BOARDS).filter((id) => profile(id).latencyModel !== undefined))('%s, a board, likewise', (id) => {
    const { fit } = profile(id).latencyModel!;
    const device = boardSeries(single, id, 'latency')!;
    expect(fit.rows).toBe(device.series.rows.length);
    expect(fit.dataHash).toBe(dataHash([device.series]));
  });

  it.each(['stm32h743zi', 'stm32f446re', 'arduino-portenta-h7'])('%s has the coefficients that fitting gives (all others: npm run fit:profiles -- --check)', (id) => {
    const device = boardSeries(single, id, 'latency')!;
    const kin = single.filter((m) => m.series.kernels === device.series.kernels && m.series.quantity === 'latency');
    const clock = device.series.clockMHz! * 1e6;
    const x = fitWithShape(device.samples, commonShape(kin.map((m) => m.samples))).map((c) => c / clock);
    expect(profile(id).latencyModel!.coefficients).toEqual(listCoefficients(x, 's'));
  });
});
