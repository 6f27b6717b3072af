/** Measured tables as series: one device, one runtime, one quantity, and the networks it was measured on. */
import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { rangeOf, RUNTIMES, stepsOf, workOfSteps, type FittedModel, type Precision, type RuntimeKind } from '@app/cost';
import type { Graph } from '@app/graph';

export interface Network {
  readonly name: string;
  /** networks of one group go together in cross-validation */
  readonly group: string;
  readonly graph: () => Graph;
}

export interface Row {
  readonly network: Network;
  /** s or J */
  readonly value: number;
}

export interface Series {
  readonly device: string;
  readonly title: string;
  readonly runtime: RuntimeKind;
  readonly runtimeTitle: string;
  /** networks it was measured on */
  readonly family: 'nas-bench-201' | 'fbnet' | 'mobile' | 'tiny' | 'blocks';
  readonly quantity: 'latency' | 'energy';
  readonly precision: Precision;
  readonly clockMHz?: number;
  readonly core?: string;
  /** series of one kernel library know about each other */
  readonly kernels?: string;
  readonly source: string;
  readonly licence: string;
  readonly rows: readonly Row[];
}

/** A JSON file of the folder, as named or with .gz behind it; null if it is not there. */
export function readMeasured<T>(dir: string, file: string): T | null {
  const path = [join(dir, file), join(dir, `${file}.gz`)].find((p) => existsSync(p));
  if (path === undefined) return null;
  const bytes = readFileSync(path);
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as T;
}

interface Known {
  readonly work: Float64Array;
  readonly range: FittedModel['range'];
}

/** Work of networks in the terms of the latency model, computed once for each network and runtime. */
export class WorkTable {
  readonly #held = new Map<string, Known>();

  of(network: Network, runtime: RuntimeKind): Float64Array {
    return this.#known(network, runtime).work;
  }

  /** The range that all of them span. */
  rangeOf(networks: Iterable<Network>, runtime: RuntimeKind): FittedModel['range'] {
    const taps: Record<string, number> = {};
    let [smallest, largest] = [Infinity, 0];
    for (const network of networks) {
      const { range } = this.#known(network, runtime);
      smallest = Math.min(smallest, range.macs[0]);
      largest = Math.max(largest, range.macs[1]);
      for (const [kind, n] of Object.entries(range.taps)) taps[kind] = Math.max(taps[kind] ?? 0, n);
    }
    return { macs: [smallest, largest], taps };
  }

  #known(network: Network, runtime: RuntimeKind): Known {
    const rules = RUNTIMES[runtime];
    const key = `${rules.zeros} ${rules.merge} ${rules.fusion} ${network.name}`;
    let known = this.#held.get(key);
    if (known === undefined) {
      const steps = stepsOf(network.graph(), rules);
      this.#held.set(key, (known = { work: workOfSteps(steps), range: rangeOf([steps]) }));
    }
    return known;
  }
}
