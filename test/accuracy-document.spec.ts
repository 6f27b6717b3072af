import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accuracyDocument, readmeTable, withReadmeTable, type HardwareRun, type MemoryRun } from '../bench/hardware/accuracy-document.js';

const read = (...path: string[]): string => readFileSync(join(import.meta.dirname, '..', ...path), 'utf8');
const hardware = JSON.parse(read('bench', 'results', 'hardware.json')) as HardwareRun;
const memory = JSON.parse(read('bench', 'results', 'memory.json')) as MemoryRun;

describe('what the documentation says of the predictions', () => {
  it('docs/accuracy-of-predictions.md is what the stored results of the benches make of it', () => {
    expect(read('docs', 'accuracy-of-predictions.md')).toBe(accuracyDocument(hardware, memory));
  });

  it('the table in README likewise', () => {
    expect(read('README.md')).toContain(readmeTable(hardware));
  });

  it('has a row for each goal, with the count of its predictions', () => {
    const rows = hardware.goals.filter((g) => g.mean !== null);
    expect(rows.length).toBeGreaterThanOrEqual(7);
    for (const { goal, mean } of rows) expect(readmeTable(hardware)).toContain(`| ${goal} | ${mean!.count} | `);
  });

  it('a README without the markers is refused', () => {
    expect(() => withReadmeTable('# Caddis\n', hardware)).toThrow(/^README\.md: expected the lines "<!-- accuracy: .* -->" and "<!-- accuracy: end -->", found none$/);
  });
});
