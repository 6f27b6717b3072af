/** Time an optimizer takes for its asks at a given number of told points. */
import { mean, quantile, Sobol } from '@app/numeric';
import type { Optimizer, Told } from '@app/optim';
import { createSearchSpace } from '@app/space';

export interface Case {
  readonly points: number;
  readonly objectives: number;
  readonly dimension: number;
  readonly asks: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ThinkingTime {
  readonly points: number;
  readonly objectives: number;
  /** of processor time, so that a busy machine does not blur it; wall time beside it */
  readonly firstMs: number;
  readonly firstWallMs: number;
  readonly nextMs: { readonly mean: number; readonly median: number; readonly longest: number };
}

/** DTLZ2 of Deb et al. 2002: m objectives on a sphere octant, the other variables pull it outwards. */
function dtlz2(u: ArrayLike<number>, m: number): number[] {
  let g = 0;
  for (let i = m - 1; i < u.length; i++) g += (u[i]! - 0.5) ** 2;
  return Array.from({ length: m }, (_, j) => {
    let f = 1 + g;
    for (let i = 0; i < m - 1 - j; i++) f *= Math.cos((u[i]! * Math.PI) / 2);
    return j === 0 ? f : f * Math.sin((u[m - 1 - j]! * Math.PI) / 2);
  });
}

/** Half of the told points spread over the cube, half near the front, as in the middle of a search. */
export function thinkingTime(optimizer: Optimizer, { points, objectives, dimension, asks, settings }: Case): ThinkingTime {
  const space = createSearchSpace(Array.from({ length: dimension }, (_, i) => ({ name: `x${i}`, type: 'float', min: 0, max: 1 })));
  const run = optimizer.start({ space, objectives, constraints: 0, seed: 1, maxTrials: points + asks + 1 }, settings);
  const sobol = new Sobol(dimension, 1);
  const outcome = (genes: readonly number[]): Pick<Told, 'state' | 'objectives' | 'violations'> => ({ state: 'completed', objectives: dtlz2(genes, objectives), violations: [] });
  run.tell(Array.from({ length: points }, (_, i): Told => {
    const u = sobol.point(i);
    const genes = space.fromUnit(i % 2 === 0 ? u : u.map((v, d) => (d < objectives - 1 ? v : 0.5 + 0.2 * (v - 0.5))));
    return { genes, key: space.key(genes), proposedBy: 'import', ...outcome(genes) };
  }));
  const times: number[] = [];
  const walls: number[] = [];
  for (let i = 0; i <= asks; i++) {
    const [began, clock] = [process.cpuUsage(), performance.now()];
    const asked = run.ask(1);
    const { user, system } = process.cpuUsage(began);
    times.push((user + system) / 1000);
    walls.push(performance.now() - clock);
    run.tell(asked.map((c) => ({ ...c, ...outcome(c.genes) })));
  }
  const next = times.slice(1);
  return { points, objectives, firstMs: times[0]!, firstWallMs: walls[0]!, nextMs: { mean: mean(next), median: quantile(next, 0.5), longest: Math.max(...next) } };
}
