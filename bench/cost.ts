/**
 * What does it take to cost a FlyNet point on twelve devices: decode, shapes, counts, order, memory, latency, energy? On one core, after
 * warm-up, three ways in turn so that the machine's moods hit all alike: the plain path (`decode` and `priceNetwork`), pieces
 * forgotten with every point, and pieces kept (`PieceDecoder`, `NetworkPricer`). Four streams of points:
 *
 * - `converging`: what NSGA-II asks for between estimated accuracy and latency on three of the devices, after 10,000 trials
 * - `search`: a population of twenty that drifts: one to three genes of one are changed, and the child takes any one's place. Without
 *   selection it stays more diverse than a search that converges
 * - `uniform`: uniformly random points, all different, none seen before; `none` the same with nothing kept from point to point
 * - `again`: the points of `search` once more, every section known
 *
 * Time is that of the processor, all threads of the process (compiler and collector too), so that other programs on the machine count
 * little; by the clock a free core is a little quicker. `--json`, `--seconds N` of known points (2), `--seed N`. With `node --expose-gc`,
 * as the npm script runs it, garbage is the heap's growth over points that allocate too little to be collected meanwhile.
 */
import { loadCatalog } from '@app/catalog';
import { FIGURES, NetworkPricer, priceNetwork } from '@app/cost';
import { decode, PieceDecoder } from '@app/decode';
import type { Graph, PiecedGraph } from '@app/graph';
import { Rng } from '@app/numeric';
import { optimizerNamed } from '@app/optim';
import { createSearchSpace, type Genes, type Point } from '@app/space';
import { flynetSurrogate } from '@app/train';

const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const seconds = Number(argument('--seconds') ?? 2);
const seed = Number(argument('--seed') ?? 1);

/** Every memory rule and precision: three planners of TensorFlow Lite Micro, two generated codes, live sets; fitted and roofline latency. */
const DEVICES = [
  'stm32f446re', 'stm32f746zg', 'stm32h743zi-tflm-reference', 'arduino-portenta-h7', 'stm32h743zi-tinyengine', 'stm32h743zi',
  'nucleo-u385rg-q', 'phone', 'pixel-3', 'raspberry-pi-4', 'rtx-2080-ti', 'xeon-silver-4210r',
];
const catalog = loadCatalog();
const definition = catalog.space('flynet');
const space = createSearchSpace(definition.parameters);
const devices = DEVICES.map((id) => catalog.device(id));
const task = { numClasses: 10, inputChannels: 3 };

function* uniform(name: string): Generator<Point> {
  const rng = Rng.of(seed, name);
  for (;;) yield space.decode(space.fromUnit(Array.from({ length: space.dimension }, () => rng.next())));
}

function* search(name: string): Generator<Point> {
  const rng = Rng.of(seed, name);
  const draw = (): number[] => Array.from({ length: space.dimension }, () => rng.next());
  const best = Array.from({ length: 20 }, draw);
  for (;;) {
    const child = [...best[Math.floor(rng.next() * best.length)]!];
    for (let changes = 1 + Math.floor(rng.next() * 3); changes > 0; changes--) child[Math.floor(rng.next() * child.length)] = rng.next();
    best[Math.floor(rng.next() * best.length)] = child;
    const genes: Genes = space.fromUnit(child);
    yield space.decode(genes);
  }
}

/** A search that is told what the way prices. */
class Converging {
  private readonly search = optimizerNamed('nsga2').start({ space, objectives: 1 + TOLD.length, constraints: 0, seed });
  private readonly surrogate = flynetSurrogate();
  private readonly signal = new AbortController().signal;

  /** @param trials  a multiple of 20 */
  async run(trials: number, way: Way, into: Measured): Promise<void> {
    for (let t = 0; t < trials; t += 20) {
      const asked = this.search.ask(20).map((candidate) => ({ candidate, point: space.decode(candidate.genes) }));
      const latencies: number[][] = [];
      timed(into, asked.map(({ point }) => point), (point) => {
        way.price(point);
        latencies.push(TOLD.map((d) => way.latency(d)));
      });
      const errors = await Promise.all(asked.map(({ point }) => this.surrogate.evaluate({ space: definition, point, graph: null, task, signal: this.signal })));
      this.search.tell(asked.map(({ candidate }, i) => ({ ...candidate, state: 'completed', objectives: [errors[i]!.error!.value, ...latencies[i]!], violations: [] })));
    }
  }
}
/** places of a microcontroller, a phone and a GPU among the devices */
const TOLD = [0, 8, 10];

const take = (stream: Generator<Point>, count: number): Point[] => Array.from({ length: count }, () => stream.next().value as Point);

const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

interface Measured {
  points: number;
  ms: number;
}

/** Runs over the points and adds to what was measured. */
function timed(into: Measured, points: readonly Point[], price: (point: Point) => void): void {
  const began = processorMs();
  for (const point of points) price(point);
  into.ms += processorMs() - began;
  into.points += points.length;
}

/** Bytes allocated a point, where no collection comes in between. */
function garbage(points: readonly Point[], price: (point: Point) => void): number | null {
  const collect = globalThis.gc;
  if (collect === undefined) return null;
  const samples = Array.from({ length: 9 }, () => {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (const point of points) price(point);
    return (process.memoryUsage().heapUsed - before) / points.length;
  });
  return Math.round(samples.sort((a, b) => a - b)[4]!);
}

class Way {
  private readonly pricer: NetworkPricer;

  constructor(readonly decoder: PieceDecoder) {
    this.pricer = new NetworkPricer(devices.map((device) => ({ device })));
  }

  readonly price = (point: Point): void => this.pricer.price(this.decoder.decode(point));

  /** s, of the point priced last on a device */
  latency(device: number): number {
    return this.pricer.values[device * FIGURES]!;
  }

  /** of sections */
  counts(): { hits: number; misses: number } {
    const { hits, misses } = this.decoder.table.sections;
    return { hits, misses };
  }
}

const newDecoder = (capacity?: number): PieceDecoder => new PieceDecoder(definition, task, capacity);
const plainly = (point: Point): void => {
  const graph = decode(definition, point, task);
  for (const device of devices) priceNetwork(graph, device);
};

const streams = { plain: search('plain'), none: uniform('none'), uniform: uniform('uniform'), search: search('search') };
const ways = { none: new Way(newDecoder(2)), uniform: new Way(newDecoder()), search: new Way(newDecoder()), converging: new Way(newDecoder()) };
const converging = new Converging();
const measured = { plain: { points: 0, ms: 0 }, none: { points: 0, ms: 0 }, uniform: { points: 0, ms: 0 }, search: { points: 0, ms: 0 }, converging: { points: 0, ms: 0 }, again: { points: 0, ms: 0 } };

/** uniform points take so many until pieces are hardly new */
const WARM_UP = 6000;
take(streams.plain, 40).forEach(plainly);
take(streams.none, 100).forEach(ways.none.price);
take(streams.uniform, WARM_UP).forEach(ways.uniform.price);
take(streams.search, WARM_UP).forEach(ways.search.price);
await converging.run(10_000, ways.converging, { points: 0, ms: 0 });
const before = { uniform: ways.uniform.counts(), search: ways.search.counts(), converging: ways.converging.counts() };
let last: Point[] = [];
while (measured.again.ms < 1000 * seconds) {
  timed(measured.plain, take(streams.plain, 10), plainly);
  timed(measured.none, take(streams.none, 20), ways.none.price);
  timed(measured.uniform, take(streams.uniform, 100), ways.uniform.price);
  await converging.run(200, ways.converging, measured.converging);
  timed(measured.search, (last = take(streams.search, 200)), ways.search.price);
  const hits = ways.search.counts();
  // until every section is kept
  for (let k = 0; k < 6; k++) last.forEach(ways.search.price);
  for (let k = 0; k < 10; k++) timed(measured.again, last, ways.search.price);
  const { sections: cache } = ways.search.decoder.table;
  [cache.hits, cache.misses] = [hits.hits, hits.misses];
}
const rate = (way: keyof typeof before): number => {
  const { hits, misses } = ways[way].counts();
  return (hits - before[way].hits) / (hits - before[way].hits + misses - before[way].misses);
};

/** Where the time of a known point goes, µs: decoding, and pricing by groups of devices. */
function stages(points: readonly Point[]): Record<string, number> {
  const decoder = newDecoder();
  // sections are kept from the fourth time on
  const networks = [0, 1, 2, 3, 4].map(() => points.map((point) => decoder.decode(point))).at(-1)!;
  const us = (repeats: number, work: () => void): number => {
    work();
    const began = processorMs();
    for (let r = 0; r < repeats; r++) work();
    return Number((((processorMs() - began) * 1000) / repeats / points.length).toFixed(1));
  };
  const pricing = (ids: readonly string[]): number => {
    const pricer = new NetworkPricer(ids.map((id) => ({ device: catalog.device(id) })));
    return us(20, () => networks.forEach((network: Graph | PiecedGraph) => pricer.price(network)));
  };
  const arenas = DEVICES.slice(0, 4);
  return {
    'decode to known sections': us(20, () => points.forEach((point) => decoder.decode(point))),
    'price on all devices': pricing(DEVICES),
    'of it without arenas of TensorFlow Lite Micro': pricing(DEVICES.slice(4)),
    ...Object.fromEntries([[arenas[0]!], [arenas[2]!], [arenas[3]!]].map((ids) => [`${ids[0]} alone`, pricing(ids)])),
  };
}

const perSecond = ({ points, ms }: Measured): number => Math.round((1000 * points) / ms);
const report = {
  devices: DEVICES,
  pointsPerSecond: Object.fromEntries(Object.entries(measured).map(([way, m]) => [way, perSecond(m)])),
  points: Object.fromEntries(Object.entries(measured).map(([way, m]) => [way, m.points])),
  bytesPerPoint: { plain: garbage(take(streams.plain, 3), plainly), again: garbage(last, ways.search.price) },
  sectionHitRate: { uniform: rate('uniform'), search: rate('search'), converging: rate('converging') },
  piecesKept: { capacity: ways.search.decoder.table.capacity, uniform: ways.uniform.decoder.table.size, search: ways.search.decoder.table.size, converging: ways.converging.decoder.table.size },
  sectionsKept: { capacity: ways.search.decoder.table.capacity / 2, uniform: ways.uniform.decoder.table.sections.size, search: ways.search.decoder.table.sections.size, converging: ways.converging.decoder.table.sections.size },
  microsecondsPerPoint: stages(last),
};
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(report)}\n` : `${JSON.stringify(report, null, 2)}\n`);
