import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCatalog } from '@app/catalog';
import { cellFeatures } from '@app/decode';
import { describe, expect, it } from 'vitest';
import { studyProblem } from './problem.js';
import type { StudyDefinition } from './records.js';

function definitionOf(example: string): StudyDefinition {
  const parsed = loadCatalog().parseStudySpec(readFileSync(join(import.meta.dirname, '../../../search-spaces/examples', example), 'utf8'));
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.definition;
}

describe('the space of a study', () => {
  it('knows of its points what their family does', () => {
    const { space } = studyProblem(definitionOf('nas201-three-objectives.yaml'));
    expect([...space.features!([3, 4, 2, 0, 1, 3])]).toEqual(cellFeatures('342013'));
    expect(studyProblem(definitionOf('flynet-stm32f446re.yaml')).space.features).toBeUndefined();
  });
});
