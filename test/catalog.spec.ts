/** Reads every data file there is: spaces decode, verify and can be priced on every device; the example studies go through the door. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completePoint, loadCatalog, projectRoot } from '@app/catalog';
import { priceNetwork } from '@app/cost';
import { decode } from '@app/decode';
import { inferShapes, totals, verifyGraph, type Graph } from '@app/graph';
import { Rng } from '@app/numeric';
import { createSearchSpace, type Point } from '@app/space';
import type { SpaceDefinition, StudyDefinition } from '@app/study';

const root = projectRoot();
const catalog = loadCatalog();
const task = { numClasses: 10, inputChannels: 3 };
const SAMPLES = 20;
const PRICED = 6;

/** The default point and `SAMPLES` more, drawn evenly over the values. */
function points(definition: SpaceDefinition): Point[] {
  const space = createSearchSpace(definition.parameters);
  const rng = Rng.of(20, definition.name);
  const drawn = Array.from({ length: SAMPLES }, () => space.decode(space.fromUnit(Float64Array.from({ length: space.dimension }, () => rng.next()))));
  return [completePoint(definition.parameters, {}), ...drawn];
}

const networks = (definition: SpaceDefinition): Graph[] => points(definition).map((point) => decode(definition, point, task));

describe.each(catalog.spaces().map((s) => [s.name, s] as const))('search space %s', (_name, definition) => {
  const graphs = networks(definition);

  it('names its schema in the first line', () => {
    const text = readFileSync(join(root, 'search-spaces', `${definition.name}.yaml`), 'utf8');
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema/search-space.schema.json');
  });

  it('decodes 21 points to networks that verify and answer the classes of the task, or reconstruct their input', () => {
    for (const graph of graphs) {
      const shapes = inferShapes(verifyGraph(graph));
      expect(graph.outputs).toHaveLength(1);
      expect(shapes.get(graph.outputs[0]!)).toEqual(definition.family === 'autoencoder' ? shapes.get('input') : [1, 10]);
      expect(totals(graph).params).toBeGreaterThan(1000);
      expect(totals(graph).macs).toBeGreaterThan(5000);
    }
  });

  it('reads back the points it draws', () => {
    const space = createSearchSpace(definition.parameters);
    for (const point of points(definition)) expect(space.decode(space.encode(point))).toEqual(point);
  });

  it.each(catalog.devices().map((d) => [d.id, d] as const))('is priced on %s: positive, finite and inside its interval', (_id, device) => {
    for (const graph of graphs.slice(0, PRICED)) {
      const cost = priceNetwork(graph, device, device.defaultPrecision);
      for (const estimate of [cost.latency, cost.energy, cost.peakRam, cost.flash]) {
        expect(estimate.value).toBeGreaterThan(0);
        expect(Number.isFinite(estimate.high)).toBe(true);
        expect(estimate.low).toBeLessThanOrEqual(estimate.value);
        expect(estimate.high).toBeGreaterThanOrEqual(estimate.value);
      }
      expect(cost.macs).toBeLessThanOrEqual(totals(graph).macs);
    }
  });
});

const examples = readdirSync(join(root, 'search-spaces/examples')).filter((f) => f.endsWith('.yaml'));

describe('the example studies', () => {
  const read = (file: string): string => readFileSync(join(root, 'search-spaces/examples', file), 'utf8');
  const definitionOf = (file: string): StudyDefinition => {
    const parsed = catalog.parseStudySpec(read(file));
    if ('issues' in parsed) throw new Error(parsed.issues.map((i) => `${i.pointer}: ${i.message}`).join('\n'));
    return parsed.definition;
  };

  it('are the five the documentation names', () => {
    expect(examples.sort()).toEqual(['flynet-fashion-mnist.yaml', 'flynet-stm32f446re.yaml', 'nas201-three-objectives.yaml', 'resnet18-accuracy-within-macs.yaml', 'resnet18-fewest-macs.yaml']);
  });

  it.each(examples)('%s names the schema and becomes a study', (file) => {
    expect(read(file).split('\n')[0]).toBe('# yaml-language-server: $schema=../schema/study.schema.json');
    expect(definitionOf(file).spec.name).toBe(file.replace('.yaml', ''));
  });

  it('start where they are allowed to: within the limits that can be computed', () => {
    const { spec, space, devices } = definitionOf('flynet-stm32f446re.yaml');
    const cost = priceNetwork(decode(space, spec.start![0]!, spec.task), devices[0]!, devices[0]!.defaultPrecision);
    expect(devices[0]).toMatchObject({ id: 'stm32f446re', defaultPrecision: 'int8' });
    expect(cost.peakRam.value).toBeLessThanOrEqual(128 * 1024);
    expect(cost.flash.value).toBeLessThanOrEqual(512 * 1024);
    const within = definitionOf('resnet18-accuracy-within-macs.yaml');
    expect(totals(decode(within.space, within.spec.start![0]!, within.spec.task)).macs).toBeLessThanOrEqual(within.spec.constraints[0]!.value * 1e9);
  });

  it('says rightly that 1,000 classes are too many for the small microcontroller, but for all except the leanest networks', () => {
    const { spec, space, devices } = definitionOf('flynet-stm32f446re.yaml');
    const flash = (point: Point): number => priceNetwork(decode(space, point, { numClasses: 1000, inputChannels: 3 }), devices[0]!, 'int8').flash.value / 1024;
    const leanest = { ...Object.fromEntries([1, 2, 3, 4, 5].flatMap((s) => [[`depth${s}`, 1], [`heads${s}`, 1], [`kernel${s}`, 3]])), lowResidual: 'none', highResidual: 'none', attentionStatistics: 'mean' };
    expect(flash(spec.start![0]!)).toBeGreaterThan(512);
    expect(flash({ ...spec.start![0]!, ...leanest })).toBeLessThan(512);
    expect(flash({ ...spec.start![0]!, ...leanest, width: 0.35 })).toBeGreaterThan(512);
  });
});
