/**
 * Accuracy of FlyNet from published figures, additive in the logit of top-1:
 *
 *   logit(a) = b0 + b1 ln(width) + b2 mean ln(heads) + ablation effects + resolution trend
 *
 * b0, b1, b2 by least squares on the ten scaling rows. An ablation effect is the logit difference of one printed pair of rows. The
 * resolution trend, c1 u + c2 u² with u = ln(side / 224), is that of MobileNetV2 0.35 and 0.5, whose accuracies are nearest: an
 * extrapolation to another network. All logits are natural.
 */
import { ABLATIONS, RESOLUTION_ROWS, RESOLUTION_SIDES, SCALING_ROWS, type FlynetRow } from './published.js';

export const logit = (percent: number): number => Math.log(percent / (100 - percent));
export const percentOf = (l: number): number => 100 / (1 + Math.exp(-l));

export interface ScalingFit {
  readonly intercept: number;
  readonly width: number;
  readonly heads: number;
}

const features = (r: Pick<FlynetRow, 'width' | 'heads'>): readonly number[] => [1, Math.log(r.width), Math.log(r.heads)];

export function fitScaling(rows: readonly FlynetRow[] = SCALING_ROWS): ScalingFit {
  const [intercept, width, heads] = leastSquares(rows.map(features), rows.map((r) => logit(r.top1)));
  return { intercept: intercept!, width: width!, heads: heads! };
}

export const scalingLogit = (fit: ScalingFit, r: { readonly width: number; readonly meanLogHeads: number }): number => fit.intercept + fit.width * Math.log(r.width) + fit.heads * r.meanLogHeads;

/** Error of each scaling row predicted from the other nine: in logits and in points of accuracy. */
export function leaveOneOut(): readonly { readonly logit: number; readonly points: number }[] {
  return SCALING_ROWS.map((left) => {
    const l = scalingLogit(fitScaling(SCALING_ROWS.filter((r) => r !== left)), { width: left.width, meanLogHeads: Math.log(left.heads) });
    return { logit: l - logit(left.top1), points: percentOf(l) - left.top1 };
  });
}

/** Logit effect of a setting against the base (Max-out, softmax, mdw-concat, no noise), by `setting=value`. */
export function ablationEffects(): ReadonlyMap<string, number> {
  const effects = new Map<string, number>();
  for (const { base, changed } of ABLATIONS) {
    for (const r of changed) {
      const setting = (['reduction', 'excitation', 'lowResidual', 'noiseHead'] as const).find((s) => r[s] !== base[s])!;
      effects.set(`${setting}=${r[setting]}`, logit(r.top1) - logit(base.top1));
    }
  }
  return effects;
}

/** [c1, c2] of the resolution trend. */
export function fitResolution(widths: readonly string[] = ['0.35', '0.5']): readonly [number, number] {
  const rows = widths.flatMap((w) => RESOLUTION_SIDES.slice(1).map((side, i) => {
    const u = Math.log(side / 224);
    return { x: [u, u * u], y: logit(RESOLUTION_ROWS[w]![i + 1]!) - logit(RESOLUTION_ROWS[w]![0]!) };
  }));
  const [c1, c2] = leastSquares(rows.map((r) => r.x), rows.map((r) => r.y));
  return [c1!, c2!];
}

/** Solves the normal equations of a few well-scaled columns by elimination with pivoting. */
function leastSquares(x: readonly (readonly number[])[], y: readonly number[]): number[] {
  const n = x[0]!.length;
  const a = Array.from({ length: n }, (_, i) => [...Array.from({ length: n }, (_, j) => x.reduce((s, r) => s + r[i]! * r[j]!, 0)), x.reduce((s, r, k) => s + r[i]! * y[k]!, 0)]);
  for (let c = 0; c < n; c++) {
    const pivot = a.slice(c).reduce((best, r, i) => (Math.abs(r[c]!) > Math.abs(a[best]![c]!) ? c + i : best), c);
    [a[c], a[pivot]] = [a[pivot]!, a[c]!];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = a[r]![c]! / a[c]![c]!;
      for (let k = c; k <= n; k++) a[r]![k]! -= factor * a[c]![k]!;
    }
  }
  return a.map((r, i) => r[n]! / r[i]!);
}
