import { Inject, Injectable } from '@nestjs/common';
import type { DeviceView, SpaceView } from '@app/contracts';
import { ProblemException } from '../http/problem.js';
import { CATALOG, type ApiCatalog } from '../ports.js';

@Injectable()
export class CatalogService {
  constructor(@Inject(CATALOG) private readonly catalog: ApiCatalog) {}

  devices(): readonly DeviceView[] {
    return this.catalog.devices();
  }

  device(id: string): DeviceView {
    return named('device', id, this.devices(), (d) => d.id);
  }

  spaces(): readonly SpaceView[] {
    return this.catalog.spaces();
  }

  space(name: string): SpaceView {
    return named('search space', name, this.spaces(), (s) => s.name);
  }
}

function named<T>(what: string, name: string, all: readonly T[], nameOf: (item: T) => string): T {
  const found = all.find((item) => nameOf(item) === name);
  if (found) return found;
  throw new ProblemException('not-found', `no ${what} "${name}"; there are ${all.map(nameOf).join(', ')}`);
}
