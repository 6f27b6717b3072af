import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StudySpec } from '@app/contracts';
import type { DeviceProfile } from '@app/cost';
import type { SpaceDefinition } from '@app/study';
import { CatalogError, type DataFault } from './data-fault.js';
import { loadDevices } from './devices.js';
import { parseStudy, type StudyParse } from './parse-study.js';
import { projectRoot } from './project-root.js';
import { resolveDevices } from './resolve-devices.js';
import { resolveSpace, type Resolved } from './resolve-space.js';
import { loadSpaces } from './space-file.js';

/** A name the catalog doesn't hold; the message lists those it does. */
export class UnknownName extends Error {
  constructor(readonly what: 'search space' | 'device', readonly given: string, readonly known: readonly string[]) {
    super(`unknown ${what} "${given}"; known: ${known.join(', ')}`);
    this.name = 'UnknownName';
  }
}

/** The built-in search spaces and devices, read once and never changed, and what studies make of them. */
export class Catalog {
  constructor(private readonly held: { readonly spaces: readonly SpaceDefinition[]; readonly devices: readonly DeviceProfile[] }) {}

  /** By name. */
  spaces(): readonly SpaceDefinition[] {
    return this.held.spaces;
  }

  /** @throws UnknownName */
  space(name: string): SpaceDefinition {
    const space = this.held.spaces.find((s) => s.name === name);
    if (!space) throw new UnknownName('search space', name, this.held.spaces.map((s) => s.name));
    return space;
  }

  /** By id. */
  devices(): readonly DeviceProfile[] {
    return this.held.devices;
  }

  /** @throws UnknownName */
  device(id: string): DeviceProfile {
    const device = this.held.devices.find((d) => d.id === id);
    if (!device) throw new UnknownName('device', id, this.held.devices.map((d) => d.id));
    return device;
  }

  /** See `resolveSpace` in resolve-space.ts. */
  resolveSpace(reference: StudySpec['searchSpace']): Resolved<SpaceDefinition> {
    return resolveSpace(this.held.spaces, reference);
  }

  /** See `resolveDevices` in resolve-devices.ts. */
  resolveDevices(spec: Pick<StudySpec, 'devices' | 'objectives' | 'constraints'>): Resolved<DeviceProfile[]> {
    return resolveDevices(this.held.devices, spec);
  }

  /** YAML or JSON text, or a value already parsed; see `parseStudy` in parse-study.ts. */
  parseStudySpec(input: unknown): StudyParse {
    return parseStudy(this.held, input);
  }
}

/**
 * Reads search-spaces/*.yaml and hw-profiles/*.yaml.
 *
 * @param root  folder that holds both; default: the project's own
 * @throws CatalogError with every fault of every file: file, field, what came, what was due
 */
export function loadCatalog(root: string = projectRoot()): Catalog {
  const faults: DataFault[] = [];
  const gather = <T>(folder: string, load: (dir: string) => readonly T[]): readonly T[] => {
    const dir = join(root, folder);
    if (!existsSync(dir)) {
      faults.push({ file: folder, path: '', message: `expected a folder ${dir}, got none` });
      return [];
    }
    try {
      return load(dir);
    } catch (error) {
      if (!(error instanceof CatalogError)) throw error;
      faults.push(...error.faults);
      return [];
    }
  };
  const spaces = gather('search-spaces', loadSpaces);
  const devices = gather('hw-profiles', loadDevices);
  if (faults.length > 0) throw new CatalogError(faults);
  return new Catalog({ spaces, devices });
}
