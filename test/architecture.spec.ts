import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

function readTable(): Map<string, ReadonlySet<string>> {
  const rows = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').split('## Who may import whom')[1]!.split('\n## ')[0]!;
  const table = new Map<string, ReadonlySet<string>>();
  for (const line of rows.split('\n')) {
    const cells = line.split('|').map((c) => c.trim());
    if (cells.length !== 4 || cells[1] === 'module' || cells[1]!.startsWith('---')) continue;
    table.set(cells[1]!, new Set(cells[2]!.split(',').map((c) => c.trim()).filter(Boolean)));
  }
  return table;
}

function sources(): string[] {
  return ['libs', 'apps', 'migrations']
    .flatMap((top) => readdirSync(join(root, top), { recursive: true, encoding: 'utf8' }).map((f) => join(top, f)))
    .filter((f) => /\.tsx?$/.test(f) && !f.includes('node_modules') && !f.includes('/dist/'));
}

/** `libs/optim/src/x.ts` → `optim`; `apps/api/src/x.ts` → `apps/api` */
function moduleOf(file: string): string {
  const [top, name] = file.split('/');
  return top === 'libs' ? name! : top === 'apps' ? `apps/${name}` : 'migrations';
}

const isSpec = (file: string): boolean => /\.spec\.tsx?$/.test(file);

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => m[1]!);
}

function targetOf(file: string, specifier: string): string | null {
  if (specifier.startsWith('@app/')) return specifier.slice(5);
  if (!specifier.startsWith('.')) return null;
  const target = relative(root, join(root, file, '..', specifier));
  return /^(libs|apps|migrations)\//.test(target) ? moduleOf(target) : null;
}

describe('the import table of ARCHITECTURE.md', () => {
  const table = readTable();

  it('names every module there is', () => {
    expect([...new Set(sources().map(moduleOf))].filter((m) => !table.has(m))).toEqual([]);
  });

  it('allows every import between modules', () => {
    const broken = sources().flatMap((file) =>
      imports(file)
        .map((specifier) => ({ from: moduleOf(file), to: targetOf(file, specifier), file, specifier }))
        .filter(({ from, to }) => to !== null && to !== from && !table.get(from)?.has(to))
        .filter(({ to }) => !isSpec(file) || to!.startsWith('apps/'))
        .map(({ file: f, specifier }) => `${f} imports ${specifier}`),
    );
    expect(broken).toEqual([]);
  });

  it('lets neighbours see only a lib\'s face', () => {
    const deep = sources().flatMap((file) =>
      imports(file)
        .filter((s) => /^@app\/[^/]+\//.test(s) || (s.startsWith('.') && targetOf(file, s) !== null && targetOf(file, s) !== moduleOf(file)))
        .map((s) => `${file} imports ${s}`)
        .filter((line) => !/imports \.\..*apps\//.test(line) && !line.startsWith('apps/cli')),
    );
    expect(deep).toEqual([]);
  });

  it('has no cycle', () => {
    const visiting = new Set<string>();
    const done = new Set<string>();
    const walk = (m: string, path: string[]): void => {
      if (done.has(m)) return;
      expect(visiting.has(m), [...path, m].join(' → ')).toBe(false);
      visiting.add(m);
      for (const next of table.get(m) ?? []) walk(next, [...path, m]);
      visiting.delete(m);
      done.add(m);
    };
    for (const m of table.keys()) walk(m, []);
  });
});
