import { Inject, Injectable } from '@nestjs/common';
import type { DeviceView, SpaceView } from '@app/contracts';
import type { SpaceDefinition } from '@app/study';
import { ProblemException } from '../http/problem.js';
import { CATALOG, EVALUATORS, type ApiCatalog, type EvaluatorFactory } from '../ports.js';
import { deviceView, spaceView } from './catalog-views.js';

/** Methods whose support depends on the space. */
const METHODS = ['table', 'surrogate'] as const;

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
    const view = this.supported(space).then((found) => spaceView(space, found));
    this.views.set(space.name, view);
    return view;
  }

  /** A method knows the space if a study with both is accepted; its evaluator says which metrics it answers. */
  private async supported(space: SpaceDefinition): Promise<Pick<SpaceView, 'accuracy' | 'tabulated'>> {
    const accuracy: string[] = [];
    let tabulated: readonly string[] = [];
    for (const method of METHODS) {
      const parsed = this.catalog.parseStudySpec({ name: space.name, searchSpace: space.name, accuracy: { method }, objectives: [{ metric: 'accuracy' }], budget: { maxTrials: 1 } });
      if ('issues' in parsed) continue;
      accuracy.push(method);
      if (method !== 'table') continue;
      const evaluator = await this.evaluators(parsed.definition);
      tabulated = evaluator.metrics;
      await evaluator.close();
    }
    return { accuracy: [...accuracy, 'command', 'none'], tabulated };
  }
}

function named<T>(what: string, name: string, all: readonly T[], nameOf: (item: T) => string): T {
  const found = all.find((item) => nameOf(item) === name);
  if (found) return found;
  throw new ProblemException('not-found', `no ${what} "${name}"; there are ${all.map(nameOf).join(', ')}`);
}
