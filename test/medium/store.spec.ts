import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrations } from '@app/migrations';
import { openDatabase, PostgresStore, tidy, type Database } from '@app/store';
import { evaluatedStep, range, sampleDefinition, settledProposal, proposal, step } from '../../libs/store/src/exam/sample-study.js';
import { examineStore } from '../../libs/store/src/exam/exam-store.js';

/** Makes everything in the database older, as if time had passed. */
async function age(database: Database, ms: number): Promise<void> {
  for (const table of ['study', 'trial', 'export']) await database.dataSource.query(`update ${table} set lease_until = lease_until - $1 * interval '1 millisecond' where lease_until is not null`, [ms]);
  await database.dataSource.query(`update idempotency set created_at = created_at - $1 * interval '1 millisecond'`, [ms]);
}

async function drop(url: string, name: string): Promise<void> {
  const admin = await new DataSource({ type: 'postgres', url }).initialize();
  await admin.query(`drop database if exists "${name}" with (force)`);
  await admin.destroy();
}

/** A database of its own on the server `DATABASE_URL` names, with how to be rid of it. */
async function ownDatabase(server: string): Promise<{ url: string; remove: () => Promise<void> }> {
  const name = `caddis_test_${randomBytes(6).toString('hex')}`;
  const admin = await new DataSource({ type: 'postgres', url: server }).initialize();
  await admin.query(`create database "${name}"`);
  await admin.destroy();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => drop(server, name) };
}

interface Place {
  readonly kind: string;
  readonly open: () => Promise<{ database: Database; close: () => Promise<void> }>;
}

const places: Place[] = [{
  kind: 'embedded Postgres',
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'caddis-test-'));
    const database = await openDatabase({ dataDir: directory });
    return { database, close: async () => { await database.close(); rmSync(directory, { recursive: true }); } };
  },
}];
const server = process.env['DATABASE_URL'];
if (server !== undefined) {
  places.push({
    kind: 'the Postgres of DATABASE_URL',
    open: async () => {
      const { url, remove } = await ownDatabase(server);
      const database = await openDatabase({ url });
      return { database, close: async () => { await database.close(); await remove(); } };
    },
  });
}

for (const { kind, open } of places) {
  examineStore(`the store on ${kind}`, async () => {
    const { database, close } = await open();
    return { store: new PostgresStore(database.dataSource), advance: (ms) => age(database, ms), close };
  });

  describe(`the schema on ${kind}`, () => {
    let database: Database;
    let close: () => Promise<void>;
    beforeAll(async () => { ({ database, close } = await open()); });
    afterAll(() => close?.());

    it('is what the entities say, column by column', async () => {
      const { upQueries } = await database.dataSource.driver.createSchemaBuilder().log();
      const ofColumns = upQueries.map((q) => q.query).filter((q) => /CREATE TABLE|DROP TABLE|RENAME|ADD "|DROP COLUMN| TYPE |NOT NULL|PRIMARY KEY/.test(q));
      expect(ofColumns).toEqual([]);
    });

    it('goes all the way back and forth again', async () => {
      for (const _ of migrations) await database.dataSource.undoLastMigration();
      const tables = await database.dataSource.query(`select table_name from information_schema.tables where table_schema = 'public'`);
      expect(tables).toEqual([{ table_name: 'migrations' }]);
      const store = new PostgresStore(database.dataSource);
      await expect(store.ping()).rejects.toThrow(/lacks the migrations Studies1767225600000, Exports/);
      await database.dataSource.runMigrations();
      await expect(store.ping()).resolves.toBeUndefined();
    });

    it('keeps steps of 500 trials quick in a study of 10,000', async () => {
      const store = new PostgresStore(database.dataSource);
      const { study } = await store.create({ definition: sampleDefinition('large'), state: 'queued' });
      const { lease } = (await store.leaseStudy(study.id, 'w', 600_000))!;
      const times: number[] = [];
      for (const i of range(0, 19)) {
        const from = i * 500 + 1;
        const numbers = range(from, from + 499);
        const change = step({
          proposed: numbers.map((n) => proposal(study.id, n)), settled: numbers.map((n) => settledProposal(study.id, n)), told: from + 499,
          ranks: numbers.map((n) => ({ id: proposal(study.id, n).id, rank: n % 7 })), history: [{ number: from, hypervolume: i, frontSize: 1 }],
          frontAdded: [proposal(study.id, from).id], frontRemoved: i === 0 ? [] : [proposal(study.id, from - 500).id],
        });
        const began = performance.now();
        await store.commitStep(lease, change);
        times.push(performance.now() - began);
      }
      expect((await store.counts([study.id])).get(study.id)).toMatchObject({ completed: 10_000 });
      expect((await store.front(study.id)).map((t) => t.number)).toEqual([9501]);
      const median = (of: readonly number[]): number => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)]!;
      // Nothing in a step may grow with the study; the factor leaves room for a busy machine.
      expect(median(times.slice(10)), `ms: ${times.map((t) => t.toFixed()).join(' ')}`).toBeLessThan(4 * median(times.slice(0, 10)));
      expect(await store.commitStep(lease, evaluatedStep(study.id, 10_001, 10_001))).not.toBeNull();
    });
  });
}

describe('the embedded database', () => {
  it('keeps its directory for one process, and its socket for one user', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'caddis-test-'));
    const database = await openDatabase({ dataDir: directory });
    try {
      await expect(openDatabase({ dataDir: directory })).rejects.toThrow(`the data directory ${directory} is in use by process ${process.pid}`);
      expect(statSync(join(directory, '.s.PGSQL.5432')).mode & 0o777).toBe(0o600);
      expect(statSync(directory).mode & 0o777).toBe(0o700);
    } finally {
      await database.close();
    }
    expect(existsSync(join(directory, 'caddis.lock'))).toBe(false);
    expect(existsSync(join(directory, '.s.PGSQL.5432'))).toBe(false);
    rmSync(directory, { recursive: true });
  });

  it('opens a directory whose path is longer than a socket\'s may be, and finds its data there again', async () => {
    const root = mkdtempSync(join(tmpdir(), 'caddis-test-'));
    const directory = join(root, 'x'.repeat(120));
    const first = await openDatabase({ dataDir: directory });
    const { study } = await new PostgresStore(first.dataSource).create({ definition: sampleDefinition('kept'), state: 'draft' });
    await first.close();
    await first.close();
    const second = await openDatabase({ dataDir: directory });
    expect((await new PostgresStore(second.dataSource).study(study.id)).name).toBe('kept');
    await second.close();
    rmSync(root, { recursive: true });
  });

  it('gives each of many clients its own answers, whatever fails beside it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'caddis-test-'));
    const { dataSource, close } = await openDatabase({ dataDir: directory });
    await dataSource.query('create table thing (id int primary key)');
    const answers = await Promise.all(range(1, 300).map(async (n) => {
      if (n % 3 === 0) return dataSource.query('insert into thing values ($1), ($1)', [n]).catch((e: Error) => e.message);
      if (n % 3 === 1) return dataSource.query('select $1::int as n', [n]) as Promise<unknown>;
      return dataSource.transaction(async (m) => {
        await m.query('insert into thing values ($1)', [n]);
        await m.query('select $1::int / ($1::int - $1::int)', [n]);
      }).catch((e: Error) => e.message);
    }));
    for (const [i, answer] of answers.entries()) {
      const n = i + 1;
      if (n % 3 === 1) expect(answer).toEqual([{ n }]);
      else expect(answer).toMatch(n % 3 === 0 ? /duplicate key/ : /division by zero/);
    }
    expect(await dataSource.query('select count(*)::int as count from thing')).toEqual([{ count: 0 }]);
    await close();
    rmSync(directory, { recursive: true });
  });

  it('rolls back what a client leaves open, and goes on with the others', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'caddis-test-'));
    const { dataSource, close } = await openDatabase({ dataDir: directory });
    const client = new pg.Client({ host: directory, port: 5432, user: 'postgres', password: 'postgres', database: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('begin');
    await client.query('create table left_behind (id int)');
    const waiting = dataSource.query(`select to_regclass('left_behind') as found`);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    expect(await waiting).toEqual([{ found: null }]);
    await close();
    rmSync(directory, { recursive: true });
  });

  it('gives back the space of outdated rows', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'caddis-test-'));
    const { dataSource, close } = await openDatabase({ dataDir: directory });
    await dataSource.query(`create table busy as select generate_series(1, 3000) as id, repeat('x', 500) as text`);
    const size = async (): Promise<number> => Number((await dataSource.query(`select pg_relation_size('busy') as size`) as [{ size: string }])[0].size);
    // Counts of what changed are published once a second.
    const tidied = (): Promise<void> => vi.waitFor(async () => expect(await tidy(dataSource)).toEqual(['busy']), { timeout: 20_000, interval: 200 });
    await dataSource.query('update busy set id = -id');
    await tidied();
    const before = await size();
    for (let i = 0; i < 3; i++) {
      await dataSource.query('update busy set id = -id');
      await tidied();
    }
    expect(await size()).toBeLessThanOrEqual(before);
    await close();
    rmSync(directory, { recursive: true });
  });

  it('has all a process reported before it was killed, and frees its directory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'caddis-test-'));
    const script = `
      import { openDatabase, PostgresStore } from '${join(import.meta.dirname, '../../dist/libs/store/src/index.js')}';
      import { evaluatedStep, sampleDefinition } from '${join(import.meta.dirname, '../../dist/libs/store/src/exam/sample-study.js')}';
      const { dataSource } = await openDatabase({ dataDir: process.argv[1] });
      const store = new PostgresStore(dataSource);
      const { study } = await store.create({ definition: sampleDefinition('killed'), state: 'queued' });
      const { lease } = await store.leaseStudy(study.id, 'w', 60_000);
      for (let i = 0; ; i++) {
        if (i === 20) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 7);
        const next = await store.commitStep(lease, evaluatedStep(study.id, i * 10 + 1, i * 10 + 10));
        process.stdout.write(study.id + ' ' + next.revision + ' ' + (i * 10 + 10) + '\\n');
      }`;
    const { stdout, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, directory], { encoding: 'utf8' });
    expect(signal, stderr).toBe('SIGKILL');
    const [id, revision, told] = stdout.trim().split('\n').at(-1)!.split(' ') as [string, string, string];
    expect(Number(told)).toBeGreaterThanOrEqual(200);
    const { dataSource, close } = await openDatabase({ dataDir: directory });
    const store = new PostgresStore(dataSource);
    const fold = await store.fold(id);
    expect(fold.told).toBeGreaterThanOrEqual(Number(told));
    expect(fold.trials.map((t) => t.number)).toEqual(range(1, fold.told));
    expect((await store.study(id)).revision - Number(revision)).toBe((fold.told - Number(told)) / 10);
    expect(await store.leaseStudy(id, 'the next process, which need not wait for the lease to run out', 1000)).not.toBeNull();
    await close();
    rmSync(directory, { recursive: true });
  });

  it('says what it needs', async () => {
    await expect(openDatabase({})).rejects.toThrow(/expected url or dataDir, got neither/);
  });
});

describe.runIf(server !== undefined)('several processes that start at once on one Postgres', () => {
  it('migrate it once', async () => {
    const { url, remove } = await ownDatabase(server!);
    const all = await Promise.all(range(1, 4).map(() => openDatabase({ url })));
    const [{ count }] = await all[0]!.dataSource.query('select count(*)::int as count from migrations') as [{ count: number }];
    expect(count).toBe(migrations.length);
    for (const d of all) await d.close();
    await remove();
  });
});
