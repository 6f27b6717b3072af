/**
 * What the wiring of a NAS-Bench-201 cell foretells of its accuracy. Counted over the live paths: ways from the cell's input to its output
 * on which no edge is `none`. Edges on no such path do no work, so cells that differ in them alone are alike here.
 */

/** Every way from node 0 to node 3, as places in the code: 1←0, 2←0, 2←1, 3←0, 3←1, 3←2. */
const PATHS = [[3], [0, 4], [1, 5], [0, 2, 5]] as const;
const [EDGES, NODES] = [6, 3];
const [NONE, SKIP, CONV1, CONV3, POOL] = ['0', '1', '2', '3', '4'] as const;
const OPERATIONS = [SKIP, CONV1, CONV3, POOL] as const;
type Operation = (typeof OPERATIONS)[number];

/**
 * [14], each in [0, 1]: the share of edges that carry a skip, a 1×1, a 3×3 convolution, a pooling, on live paths; convolutions on the
 * path that has most and on the one that has fewest, and the number of live paths, by their largest; whether there is none; whether one
 * is of skips only; the share of paths with a pooling and with a convolution; the mean number of convolutions, 3×3 convolutions and
 * poolings a path, by the largest.
 * @param code  six digits 0 … 4, see `architectureCode`
 */
export function cellFeatures(code: string): number[] {
  const live = PATHS.filter((path) => path.every((edge) => code[edge] !== NONE));
  const working = new Set<number>(live.flat());
  const paths = live.map((path) => path.map((edge) => code[edge] as Operation));
  const count = (path: readonly Operation[], ...operations: readonly Operation[]): number => path.filter((o) => operations.includes(o)).length;
  const convolutions = paths.map((path) => count(path, CONV1, CONV3));
  const total = Math.max(1, paths.length);
  const share = (holds: (path: readonly Operation[]) => boolean): number => paths.filter(holds).length / total;
  const mean = (...operations: readonly Operation[]): number => paths.reduce((sum, path) => sum + count(path, ...operations), 0) / (NODES * total);
  return [
    ...OPERATIONS.map((operation) => [...working].filter((edge) => code[edge] === operation).length / EDGES),
    paths.length === 0 ? 0 : Math.max(...convolutions) / NODES,
    paths.length === 0 ? 0 : Math.min(...convolutions) / NODES,
    paths.length / PATHS.length,
    paths.length === 0 ? 1 : 0,
    paths.some((path) => path.every((o) => o === SKIP)) ? 1 : 0,
    share((path) => path.includes(POOL)),
    share((path) => count(path, CONV1, CONV3) > 0),
    mean(CONV1, CONV3),
    mean(CONV3),
    mean(POOL),
  ];
}
