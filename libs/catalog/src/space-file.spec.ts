import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CatalogError } from './data-fault.js';
import { loadCatalog, UnknownName } from './catalog.js';
import { projectRoot } from './project-root.js';
import { readSpace, spaceFileJsonSchema, studyFileJsonSchema } from './space-file.js';

const root = projectRoot();
const text = readFileSync(join(root, 'search-spaces/resnet18-scaling.yaml'), 'utf8');
const faults = (changed: string): readonly { path: string; message: string }[] => {
  const read = readSpace('resnet18-scaling.yaml', changed);
  return 'faults' in read ? read.faults : [];
};

describe('a search-space file', () => {
  it('is a space whose default point decodes', () => {
    expect(faults(text)).toEqual([]);
  });

  it.each([
    ['another name than its file', text.replace('name: resnet18-scaling', 'name: resnet'), '/name', /the name of the file, "resnet18-scaling"/],
    ['an unknown family', text.replace('family: resnet18-scaling', 'family: resnet50'), '/family', /flynet.*got "resnet50"/],
    ['a parameter its family lacks', text.replace('name: depth', 'name: deep'), '/parameters/0/name', /no parameter "deep"; it has depth, width, resolution/],
    ['no default', text.replace('step: 0.125, default: 1,', 'step: 0.125,'), '/parameters/0/default', /missing/],
    ['a range turned round', text.replace('min: 0.5, max: 2.5', 'min: 2.5, max: 0.5'), '/parameters/0/max', /at least min \(2.5\), got 0.5/],
    ['a setting its family lacks', text.replace('settings: {}', 'settings: {cells: 3}'), '/settings/cells', /no such entry/],
    ['a default its family can not build', text.replace('min: 0.5, max: 2.5, step: 0.125, default: 1', 'min: 0.5, max: 9, step: 0.5, default: 9'), '/depth', /from 0.25 to 2.5, got 9/],
    ['a task of one class', text.replace('settings: {}', 'task: {numClasses: 1}\nsettings: {}'), '/task/numClasses', />=2/],
    ['no sources', text.replace(/sources:[^]*/, 'sources: []\n'), '/sources', /Too small/],
  ])('with %s is refused at that place', (_what, changed, path, message) => {
    expect(changed).not.toBe(text);
    expect(faults(changed)[0]).toMatchObject({ path, message: expect.stringMatching(message) as string });
  });
});

describe('the schemas beside the data files are those of the code (renew with vitest -u)', () => {
  const shown = (schema: unknown): string => `${JSON.stringify(schema, null, 2)}\n`;
  it('search-space.schema.json', async () => {
    await expect(shown(spaceFileJsonSchema())).toMatchFileSnapshot(join(root, 'search-spaces/schema/search-space.schema.json'));
  });
  it('study.schema.json', async () => {
    await expect(shown(studyFileJsonSchema())).toMatchFileSnapshot(join(root, 'search-spaces/schema/study.schema.json'));
  });
});

describe('loading', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'catalog-'));
    for (const folder of ['search-spaces', 'hw-profiles']) cpSync(join(root, folder), join(dir, folder), { recursive: true });
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('lists the faults of all files of both folders at once', () => {
    writeFileSync(join(dir, 'search-spaces/broken.yaml'), 'name: broken\nparameters:\n\t- x\n');
    writeFileSync(join(dir, 'search-spaces/resnet18-scaling.yaml'), text.replace('name: resnet18-scaling', 'name: resnet'));
    writeFileSync(join(dir, 'hw-profiles/odd.yaml'), 'id: odd\n');
    const error = ((): unknown => {
      try {
        return loadCatalog(dir);
      } catch (e) {
        return e;
      }
    })();
    expect(error).toBeInstanceOf(CatalogError);
    const found = (error as CatalogError).faults;
    expect(new Set(found.map((f) => f.file))).toEqual(new Set(['search-spaces/broken.yaml', 'search-spaces/resnet18-scaling.yaml', 'hw-profiles/odd.yaml']));
    expect((error as CatalogError).message).toContain('search-spaces/broken.yaml: line 3, column 1: Tabs are not allowed as indentation');
  });

  it('says which folder is missing', () => {
    rmSync(join(dir, 'hw-profiles'), { recursive: true });
    expect(() => loadCatalog(dir)).toThrow(/hw-profiles: expected a folder/);
  });

  it('names an unknown space or device and the known ones', () => {
    const catalog = loadCatalog(dir);
    expect(catalog.space('flynet').family).toBe('flynet');
    expect(() => catalog.space('flynett')).toThrow(UnknownName);
    expect(() => catalog.space('flynett')).toThrow(/unknown search space "flynett"; known: autoencoder, .*flynet, .*nas-bench-201, resnet-8, resnet18-scaling$/);
    expect(() => catalog.device('pixel-9')).toThrow(/unknown device "pixel-9"; known: .*pixel-3/);
  });
});
