import { Inject, Injectable } from '@nestjs/common';
import { accuracyMethods } from '@app/catalog';
import type { DeviceView, SpaceView } from '@app/contracts';
import type { SpaceDefinition } from '@app/study';
import { ProblemException } from '../http/problem.js';
import { CATALOG, EVALUATORS, type ApiCatalog, type EvaluatorFactory } from '../ports.js';
import { deviceView, spaceView } from './catalog-views.js';

@Injectable()
export class CatalogService {
  /** The built-in spaces never change, so what a view says of one is found out once. */
  private readonly views = new Map<string, Promise<SpaceView>>();

  constructor(
    @Inject(CATALOG) private readonly catalog: ApiCatalog,
    @Inject(EVALUATORS) private readonly evaluators: EvaluatorFactory,
  ) {}

  devices(): DeviceView[] {
    return this.catalog.devices().map(deviceView);
  }

  /** @throws ProblemException 404 with the ids there are */
  device(id: string): DeviceView {
    return deviceView(named('device', id, this.catalog.devices(), (d) => d.id));
  }

  spaces(): Promise<SpaceView[]> {
    return Promise.all(this.catalog.spaces().map((space) => this.view(space)));
  }

  /** @throws ProblemException 404 with the names there are */
  async space(name: string): Promise<SpaceView> {
    return this.view(named('search space', name, this.catalog.spaces(), (s) => s.name));
  }

  private view(space: SpaceDefinition): Promise<SpaceView> {
    const known = this.views.get(space.name);
    if (known) return known;
    const view = this.tabulated(space).then((keys) => spaceView(space, accuracyMethods(space.family), keys));
    this.views.set(space.name, view);
    return view;
  }

  /** The evaluator of a study on the space's table says which metrics the table answers. */
  private async tabulated(space: SpaceDefinition): Promise<readonly string[]> {
    if (!accuracyMethods(space.family).includes('table')) return [];
    const parsed = this.catalog.parseStudySpec({ name: space.name, searchSpace: space.name, accuracy: { method: 'table' }, objectives: [{ metric: 'accuracy' }], budget: { maxTrials: 1 } });
    if ('issues' in parsed) return [];
    const evaluator = await this.evaluators(parsed.definition);
    await evaluator.close();
    return evaluator.metrics;
  }
}

function named<T>(what: string, name: string, all: readonly T[], nameOf: (item: T) => string): T {
  const found = all.find((item) => nameOf(item) === name);
  if (found) return found;
  throw new ProblemException('not-found', `no ${what} "${name}"; there are ${all.map(nameOf).join(', ')}`);
}
