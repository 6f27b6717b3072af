/** What `npm run bench:flynet-front -- --store` kept, for the page. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './problems.js';

export interface FlynetFront {
  readonly devices: readonly string[];
  readonly budget: number;
  readonly seeds: number;
  /** numbers of trials that shares are told at */
  readonly ladder: readonly number[];
  /** of the hypervolume */
  readonly shares: readonly number[];
  readonly rows: readonly { readonly algorithm: string; readonly ms: number; readonly shares: readonly number[]; readonly trialsTo: readonly (number | null)[] }[];
  readonly reference: { readonly trials: number; readonly front: number; readonly share: number; readonly trialsTo: readonly (number | null)[] };
}

const file = (): string => join(projectRoot(), 'bench/results/flynet-front.json');

export function readFlynetFront(): FlynetFront | null {
  return existsSync(file()) ? (JSON.parse(readFileSync(file(), 'utf8')) as FlynetFront) : null;
}

export function writeFlynetFront(front: FlynetFront): void {
  writeFileSync(file(), `${JSON.stringify(front, null, 2)}\n`);
}
