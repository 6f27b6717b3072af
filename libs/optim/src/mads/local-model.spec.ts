import { Rng } from '@app/numeric';
import { createSearchSpace } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Told } from '../contract.js';
import type { Context } from './context.js';
import { meshAxes } from './granular-mesh.js';
import { localModel, relativeResidual, type LocalModel } from './local-model.js';
import { quadraticFit, valueOf } from './quadratic-model.js';

const space = createSearchSpace([{ name: 'x', type: 'float', min: 0, max: 1 }, { name: 'y', type: 'float', min: 0, max: 1 }]);
const axes = meshAxes(space);
const centre = [0.5, 0.5];
const wave = (x: readonly number[]): number => Math.cos(12 * x[0]!) - x[1]!;
const bent = (x: readonly number[]): number => (x[0]! - 0.2) ** 2 + x[0]! * x[1]! - x[1]!;

/** Forty points over the square and forty within a tenth of the centre. */
function points(): number[][] {
  const rng = Rng.of(4);
  return Array.from({ length: 80 }, (_, i) => centre.map((c) => c + (i < 40 ? 1 : 0.2) * (rng.next() - 0.5)));
}

function modelOf(objectives: readonly ((x: readonly number[]) => number)[], constraint: (x: readonly number[]) => number): LocalModel {
  const told = points().map((genes, i): Told => ({ key: String(i), genes, proposedBy: 'test', state: 'completed', objectives: objectives.map((f) => f(genes)), violations: [constraint(genes)] }));
  const context = { space, axes, problem: { objectives: objectives.length, constraints: 1 }, scales: [1], kin: () => told } as unknown as Context;
  // Frames of a fifth: the first box holds the square.
  return localModel(context, { point: { key: 'c', genes: centre, f: objectives.map((f) => f(centre)), h: 0 }, mesh: axes.map((a) => a!.initialLevel + 1) })!;
}
const halfSide = (model: LocalModel): number => model.reach * model.lengths[0]!;
const x = (p: readonly number[]): number => p[0]!;
const y = (p: readonly number[]): number => p[1]!;

describe('the box of a local model', () => {
  it('is halved until a constraint that is no quadratic over the first one is hit to a tenth, and keeps twice the coefficients', () => {
    const model = modelOf([x, y], wave);
    expect(halfSide(model)).toBeLessThan(0.25);
    const inside = points().filter((p) => p.every((v, i) => Math.abs(v - centre[i]!) <= model.lengths[i]!));
    expect(inside.length).toBeGreaterThanOrEqual(12);
    const near = points().slice(40);
    const mean = near.reduce((s, p) => s + wave(p), 0) / 40;
    const sd = Math.sqrt(near.reduce((s, p) => s + (wave(p) - mean) ** 2, 0) / 40);
    const error = Math.sqrt(near.reduce((s, p) => s + (wave(p) - valueOf(model.constraints[0]!, model.z(p))) ** 2, 0) / 40);
    expect(error).toBeLessThan(0.1 * sd);
  });

  it('is halved for an objective that is missed too', () => {
    expect(halfSide(modelOf([wave, y], bent))).toBeLessThan(0.25);
  });

  it('stays where all are quadratics, and with one objective', () => {
    expect(halfSide(modelOf([x, y], bent))).toBeCloseTo(0.8, 9);
    expect(halfSide(modelOf([x], wave))).toBeCloseTo(0.8, 9);
  });
});

describe('the residual of a quadratic', () => {
  const z = points();
  const q = (values: readonly number[]) => quadraticFit(z)!(values);

  it('is nought for a quadratic, and for constant values', () => {
    expect(relativeResidual(q(z.map(bent)), z, z.map(bent))).toBeLessThan(1e-3);
    expect(relativeResidual(q(z.map(() => 3)), z, z.map(() => 3))).toBe(0);
  });

  it('is the part of the deviation that noise has', () => {
    const rng = Rng.of(5);
    const noise = z.map(() => rng.normal());
    const signal = z.map((p) => 10 * bent(p));
    const values = signal.map((v, i) => v + noise[i]!);
    const mean = values.reduce((s, v) => s + v, 0) / values.length;
    const sd = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
    expect(Math.abs(relativeResidual(q(values), z, values) * sd - 1)).toBeLessThan(0.2);
  });

  it('is nought where no more points are known than coefficients', () => {
    const six = z.slice(0, 6);
    expect(relativeResidual(quadraticFit(six)!(six.map(wave)), six, six.map(wave))).toBe(0);
  });
});
