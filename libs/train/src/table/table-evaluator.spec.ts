import { describe, expect, it } from 'vitest';
import { countOps, sumCounts } from '@app/graph';
import { decode, pointFromCode } from '@app/decode';
import { EvaluatorError, type AccuracyRequest, type SpaceDefinition } from '@app/study';
import { CELL_COUNT, readCells, rowOf } from './cells.js';
import { tableEvaluator } from './table-evaluator.js';

const space: SpaceDefinition = { name: 'nas-bench-201', title: '', description: '', family: 'nas-bench-201', parameters: [], settings: {}, sources: [] };

const ask = (code: string, change: Partial<AccuracyRequest> = {}): AccuracyRequest => ({
  space, point: pointFromCode(code), graph: null, task: { numClasses: 10, inputChannels: 3 }, signal: new AbortController().signal, ...change,
});

describe('the table of NAS-Bench-201', () => {
  const table = tableEvaluator('cifar10');

  it('returns figures as published', async () => {
    // rows 444444 and 211000 of the source table
    const last = await table.evaluate(ask('444444'));
    expect(Object.fromEntries(Object.entries(last).map(([k, m]) => [k, m.value]))).toEqual({
      accuracy: 49.02, error: 100 - 49.02, 'latency@raspberry-pi-4': 19.0902 / 1000, 'latency@pixel-3': 11.6008 / 1000, 'latency@eyeriss': 10.5269 / 1000, 'latency@fpga-zc706': 3.59056 / 1000,
      params: 73306, macs: 7783040,
    });
    expect(Object.keys(last).sort()).toEqual([...table.metrics].sort());
    const other = await table.evaluate(ask('211000'));
    expect([other['params']!.value, other['macs']!.value]).toEqual([101306, 11715200]);
  });

  it('knows the best accuracy of each data set: 94.37, 73.51 and 47.31 %', async () => {
    // NAS-Bench-201, ICLR 2020, Table 4 ("optimal"), and NATS-Bench
    const cells = await readCells();
    const best = (column: 'acc200_cifar10_test' | 'acc200_cifar100_test' | 'acc200_im16_test') => Number(Math.max(...cells[column]).toFixed(2));
    expect([best('acc200_cifar10_test'), best('acc200_cifar100_test'), best('acc200_im16_test')]).toEqual([94.37, 73.51, 47.31]);
    expect(CELL_COUNT).toBe(15625);
    expect(Object.values(cells).every((c) => c.length === CELL_COUNT && c.every(Number.isFinite))).toBe(true);
    expect([rowOf('000000'), rowOf('444444'), rowOf('000010')]).toEqual([0, 15624, 5]);
  });

  it('says how each figure was had', async () => {
    const metrics = await table.evaluate(ask('333333'));
    expect(Object.fromEntries(Object.entries(metrics).map(([k, m]) => [k, m.provenance]))).toEqual({
      accuracy: 'trained', error: 'trained', 'latency@raspberry-pi-4': 'measured', 'latency@pixel-3': 'measured', 'latency@eyeriss': 'simulated', 'latency@fpga-zc706': 'simulated', params: 'computed', macs: 'computed',
    });
    expect(metrics['accuracy']!.source).toContain('after 200 epochs');
    expect(metrics['accuracy']!.warnings).toBeUndefined();
  });

  it('answers a lower fidelity with the validation accuracy after 12 epochs', async () => {
    const { accuracy } = await table.evaluate(ask('444440', { fidelity: 0.5 }));
    expect(accuracy).toMatchObject({ value: 46.226, unit: '%' });
    expect(accuracy!.source).toContain('after 12 epochs');
  });

  it('warns of cells whose output does not depend on the input, on every figure they were measured for', async () => {
    const metrics = await table.evaluate(ask('000000'));
    expect(metrics['accuracy']).toMatchObject({ value: 10, warnings: ['the output of this cell does not depend on its input'] });
    expect(metrics['latency@raspberry-pi-4']).toMatchObject({ value: 0.0118268 / 1000, warnings: ['the output of this cell does not depend on its input'] });
  });

  it('counts parameters and multiply-accumulates as the decoded network has them', async () => {
    for (const code of ['000000', '323423', '112233']) {
      const due = sumCounts(countOps(decode(space, pointFromCode(code), { numClasses: 10, inputChannels: 3 })).values());
      const metrics = await table.evaluate(ask(code));
      expect([metrics['params']!.value, metrics['macs']!.value]).toEqual([due.params, due.macs]);
    }
  });

  it('answers other data sets by their own columns, latency only where the network is the measured one', async () => {
    const cifar100 = tableEvaluator('cifar100');
    const hundred = await cifar100.evaluate(ask('444444', { task: { numClasses: 100, inputChannels: 3 } }));
    expect(hundred['accuracy']!.value).toBe(10.2);
    expect(hundred['latency@pixel-3']!.warnings).toEqual(['of the same network with the classifier of CIFAR-10']);
    expect(Object.keys(hundred).sort()).toEqual([...cifar100.metrics].sort());
    const small = tableEvaluator('imagenet16-120');
    const metrics = await small.evaluate(ask('444444', { task: { numClasses: 120, inputChannels: 3 }, space: { ...space, settings: { resolution: 16 } } }));
    expect(Object.fromEntries(Object.entries(metrics).map(([k, m]) => [k, m.value]))).toEqual({ accuracy: 9.35, error: 100 - 9.35 });
  });

  it.each([
    [{ task: { numClasses: 1000, inputChannels: 3 } }, 'task.numClasses is 1000; the table of cifar10 has 10'],
    [{ task: { numClasses: 10, inputChannels: 1 } }, 'task.inputChannels is 1'],
    [{ space: { ...space, settings: { cells: 3 } } }, 'settings.cells is 3; the table of cifar10 has 5'],
    [{ space: { ...space, family: 'flynet' } }, 'family is "flynet"'],
    [{ point: { ...pointFromCode('000000'), edge_1_0: 'conv9x9' } }, 'no such cell: '],
  ])('refuses what the table does not know (%#)', async (change, message) => {
    const failure = await table.evaluate(ask('000000', change)).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(EvaluatorError);
    expect((failure as EvaluatorError).reason).toBe('unsupported');
    expect((failure as EvaluatorError).message).toContain(message);
  });

  it('stops with the signal\'s reason', async () => {
    await expect(table.evaluate(ask('000000', { signal: AbortSignal.abort(new Error('enough')) }))).rejects.toThrow('enough');
  });
});
