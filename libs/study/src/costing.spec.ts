import { expect, it } from 'vitest';
import { loadCatalog } from '@app/catalog';
import { priceWithWeightBits } from '@app/cost';
import { Costing } from './costing.js';
import { deviceMetrics } from './evaluate.js';
import type { StudyDefinition } from './records.js';

it('prices a device in the bits its weights have, and says so', () => {
  const catalog = loadCatalog();
  const parsed = catalog.parseStudySpec({
    name: 'four bits', searchSpace: 'flynet', accuracy: { method: 'none' }, objectives: [{ metric: 'flash', target: 'stm32f446re' }], budget: { maxTrials: 1 },
    devices: [{ id: 'stm32f446re', weightBits: 4 }, { id: 'stm32h743zi' }],
  });
  if (!('definition' in parsed)) throw new Error(JSON.stringify(parsed));
  const definition: Pick<StudyDefinition, 'space' | 'spec' | 'devices'> = parsed.definition;
  const costing = new Costing(definition);
  const point = Object.fromEntries(definition.space.parameters.map((p) => [p.name, p.default!]));
  const network = costing.network(point);
  const [four, int8] = costing.price(network, definition.devices).estimates;
  const { layers: _, order: __, ...plainly } = priceWithWeightBits(costing.graph(point, network), catalog.device('stm32f446re'), 4);
  expect(four).toEqual(plainly);
  expect(four!.flash.value).toBeLessThan(0.7 * int8!.flash.value);
  expect(deviceMetrics(four!)['flash@stm32f446re']!.source).toMatch(/, int8, 4-bit weights$/);
  expect(deviceMetrics(int8!)['flash@stm32h743zi']!.source).toMatch(/, int8$/);
});
