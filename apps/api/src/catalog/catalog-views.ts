import { usualTask } from '@app/catalog';
import type { DeviceView, SpaceView } from '@app/contracts';
import type { DeviceProfile } from '@app/cost';
import { createSearchSpace } from '@app/space';
import { parameterView, type SpaceDefinition } from '@app/study';

export const deviceView = (d: DeviceProfile): DeviceView => ({
  id: d.id, title: d.title, class: d.class, description: d.description ?? null, precisions: Object.keys(d.precisions), defaultPrecision: d.defaultPrecision,
  ram: d.memory.ram, flash: d.memory.flash, runtime: d.runtime.name, notes: [...(d.notes ?? [])],
});

/** @param accuracy  methods that know the space; `tabulated` metric keys a table of it answers */
export function spaceView(space: SpaceDefinition, accuracy: readonly string[], tabulated: readonly string[]): SpaceView {
  const { cardinality } = createSearchSpace(space.parameters);
  return {
    name: space.name, title: space.title, description: space.description, family: space.family, cardinality: Number.isFinite(cardinality) ? cardinality : null,
    parameters: space.parameters.map(parameterView), accuracy: [...accuracy], sources: [...space.sources], tabulated: [...tabulated], task: usualTask(space),
  };
}
