/** A vector of objective values, all minimised. */
export type Objectives = ArrayLike<number>;

/**
 * Number of objectives that all points share; 0 for no points.
 * @throws RangeError naming the point: a length unlike the first's, no objective at all, or NaN. Infinite values may pass.
 */
export function checkPoints(points: readonly Objectives[], name = 'points'): number {
  const m = points[0]?.length ?? 0;
  for (let i = 0; i < points.length; i++) if (!isPoint(points[i]!, m)) checkPoint(points[i]!, m, `${name}[${i}]`);
  return m;
}

/** Whether `checkPoint` lets it pass. */
function isPoint(point: Objectives, m: number): boolean {
  if (point.length !== m || m === 0) return false;
  for (let j = 0; j < m; j++) if (typeof point[j] !== 'number' || Number.isNaN(point[j])) return false;
  return true;
}

/** @throws RangeError unless the point has m ≥ 1 objectives, none of them NaN */
export function checkPoint(point: Objectives, m: number, name = 'point'): void {
  if (point.length === 0) throw new RangeError(`${name}: expected at least one objective, got none`);
  if (point.length !== m) throw new RangeError(`${name}: expected ${m} objectives, got ${point.length}`);
  for (let j = 0; j < m; j++) {
    const v: unknown = point[j];
    if (typeof v !== 'number' || Number.isNaN(v)) throw new RangeError(`${name}[${j}]: expected a number, got ${String(v)}`);
  }
}

export function equalVectors(a: Objectives, b: Objectives): boolean {
  for (let j = 0; j < a.length; j++) if (a[j] !== b[j]) return false;
  return true;
}

/** Order by the first objective, then the second, and so on. */
export function compareVectors(a: Objectives, b: Objectives): number {
  for (let j = 0; j < a.length; j++) {
    if (a[j]! < b[j]!) return -1;
    if (a[j]! > b[j]!) return 1;
  }
  return 0;
}

/** @throws RangeError naming the first value that is not finite */
export function checkFinite(points: readonly Objectives[], name = 'points'): void {
  points.forEach((p, i) => {
    for (let j = 0; j < p.length; j++) if (!Number.isFinite(p[j])) throw new RangeError(`${name}[${i}][${j}]: expected a finite number, got ${p[j]}`);
  });
}
