/** Boards that show nothing of themselves: cycles from the boards that share core or kernel library. */
import { dot, errorFigures, predictBoard, type BoardKind, type BoardSeries } from '@app/cost';
import { median } from '@app/numeric';
import { plainModel, result, type Measured, type Result } from './evaluate.js';

/** Name and major version: releases of one runtime differ by as much as a third. */
const releaseOf = (title: string): string => title.toLowerCase().replace(/stm32cube\.ai/, 'x-cube-ai').replace(/(\d+)(\.\d+)+/g, '$1').replace(/[^a-z0-9()]+/g, ' ').replace(/ v(\d)/, ' $1').trim();

/** Boards by other names. */
const boardOf = (device: string): string => device.toUpperCase().replace(/^(NUCLEO|DISCO)-/, '').replace(/^STM32/, '').replace(/(_HIGH_FREQ|I-DISCO)$/, '').replace(/^([FHLU]\d{3}).*/, '$1');

/** 5 % from either side of a normal distribution. */
const TAIL = 1.645;

const kindOf = ({ series }: Measured): BoardKind => ({ core: series.core!, kernels: series.kernels!, release: releaseOf(series.runtimeTitle) });

/**
 * @param held  series that are asked for; default: each of the devices in turn, all series of its board left out of the rest
 */
export function unseenBoards(devices: readonly Measured[], held: readonly Measured[] = devices): Result[] {
  const usable = (d: Measured): boolean => d.series.core !== undefined && d.series.family === 'tiny' && d.series.kernels !== 'accelerator' && d.series.kernels !== 'other';
  const latency = devices.filter((d) => usable(d) && d.series.quantity === 'latency');
  return held.filter((d) => usable(d) && d.samples.length >= 3).flatMap((target) => {
    const board = boardOf(target.series.device);
    const known = latency.filter((d) => boardOf(d.series.device) !== board).map((d): BoardSeries => ({ ...kindOf(d), board: boardOf(d.series.device), samples: d.samples }));
    const prediction = predictBoard(kindOf(target), known);
    if (prediction === null) return [];
    const cycles = target.samples.map((s) => dot(s.work, prediction.coefficients));
    const predictions = target.series.quantity === 'latency' ? cycles : joulesOf(target, cycles);
    const width = Math.exp(TAIL * prediction.spread);
    const inside = target.samples.filter((s, i) => s.value >= predictions[i]! / width && s.value <= predictions[i]! * width).length;
    const kin = known.filter((s) => s.kernels === target.series.kernels && s.core === target.series.core);
    const closest = (kin.length > 0 ? kin : known.filter((s) => s.kernels === target.series.kernels)).flatMap((s) => s.samples);
    const plain = (columns: 1 | 3): ReturnType<typeof errorFigures> => errorFigures(target.samples.map((s) => s.value), target.samples.map((s) => plainModel(columns)(closest)(s.work)));
    return [{
      ...result('unseen board', target.series, target.samples, predictions, false), kin: prediction.kin, coverage: inside / target.samples.length,
      baselines: target.series.quantity === 'latency' ? { macs: plain(1), macsBytesLayers: plain(3) } : null,
    }];
  });
}

/** Energy of a board whose power a meter has read on its other networks: a board draws nearly the same whatever it runs. */
function joulesOf({ samples }: Measured, cycles: readonly number[]): number[] {
  const perCycle = samples.map((s, i) => s.value / cycles[i]!);
  return samples.map((_, i) => cycles[i]! * median(perCycle.filter((__, k) => k !== i)));
}
