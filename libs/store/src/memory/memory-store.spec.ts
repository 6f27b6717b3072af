import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryLocked } from '../directory-lock.js';
import { evaluatedStep, outcome, proposal, sampleDefinition, step } from '../exam/sample-study.js';
import { examineStore } from '../exam/exam-store.js';
import { dumpRows, loadDump, type DumpLine } from './dump.js';
import { MemoryRows } from './memory-rows.js';
import { MemoryStore } from './memory-store.js';

function clockAt(): { clock: () => Date; advance: (ms: number) => Promise<void> } {
  let offset = 0;
  return { clock: () => new Date(Date.now() + offset), advance: async (ms) => { offset += ms; } };
}

examineStore('the memory store', async () => {
  const { clock, advance } = clockAt();
  return { store: new MemoryStore(clock), advance, close: async () => undefined };
});

examineStore('the memory store with a journal', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'caddis-test-'));
  const { clock, advance } = clockAt();
  const store = await MemoryStore.open(directory, clock);
  return { store, advance, close: async () => { await store.close(); rmSync(directory, { recursive: true }); } };
});

describe('the journal of a memory store', () => {
  let directory: string;
  const file = (): string => join(directory, 'journal.jsonl');
  beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'caddis-test-')); });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function fill(store: MemoryStore): Promise<string> {
    const { study } = await store.create({ definition: sampleDefinition('kept'), state: 'queued', idempotency: { key: 'k', bodyHash: 'h' } });
    const { lease } = (await store.leaseStudy(study.id, 'w', 1000))!;
    await store.commitStep(lease, evaluatedStep(study.id, 1, 3, { frontAdded: [proposal(study.id, 1).id], frontSize: 1, history: [{ number: 1, hypervolume: 2, frontSize: 1 }] }));
    await store.commitStep(lease, step({ proposed: [proposal(study.id, 4), proposal(study.id, 5)], told: 3 }));
    const first = (await store.leaseTrial(proposal(study.id, 4).id, 'w', 1000))!;
    await store.abandonTrial(first.lease, 'worker-stopped', '');
    await store.settleTrial((await store.leaseTrial(proposal(study.id, 4).id, 'w', 1000))!.lease, outcome(4));
    await store.leaseTrial(proposal(study.id, 5).id, 'w', 60_000);
    const made = await store.createExport(proposal(study.id, 1).id, 'onnx', 1);
    await store.finishExport((await store.leaseExport(made.id, 'w', 1000))!, { fileName: 'f', content: new Uint8Array([1, 0, 255]), sha256: 's', manifest: [1] });
    return study.id;
  }
  const all = async (store: MemoryStore, id: string): Promise<unknown> => ({
    study: await store.study(id), fold: await store.fold(id), events: await store.events(id, 0, 100), history: await store.history(id), counts: await store.counts([id]),
  });

  it('brings everything back, and frees what the last process held', async () => {
    const first = await MemoryStore.open(directory);
    const id = await fill(first);
    const before = await all(first, id);
    await first.close();
    const second = await MemoryStore.open(directory);
    expect(await all(second, id)).toEqual(before);
    expect(await second.unclaimed()).toEqual({ studies: [id], trials: [{ id: proposal(id, 5).id, studyId: id }], exports: [] });
    const again = await second.leaseTrial(proposal(id, 5).id, 'w2', 60_000);
    expect(again!.trial.attempts).toBe(2);
    expect((await second.create({ definition: sampleDefinition(), state: 'draft', idempotency: { key: 'k', bodyHash: 'h' } })).created).toBe(false);
    await second.close();
    const third = await MemoryStore.open(directory);
    expect((await third.trial(proposal(id, 5).id)).attempts).toBe(2);
    await third.close();
  });

  it('brings back what was done after a study was given back and taken again before its lease ran out', async () => {
    const first = await MemoryStore.open(directory);
    const { study: { id } } = await first.create({ definition: sampleDefinition(), state: 'queued' });
    for (const round of [1, 2, 3]) {
      const { lease } = (await first.leaseStudy(id, `w${round}`, 60_000))!;
      await first.commitStep(lease, step({ proposed: [proposal(id, round)], told: round - 1 }));
      await first.releaseStudy(lease);
      await first.settleTrial((await first.leaseTrial(proposal(id, round).id, 'w', 60_000))!.lease, outcome(round));
    }
    const before = await all(first, id);
    await first.close();
    const second = await MemoryStore.open(directory);
    expect(await all(second, id)).toEqual(before);
    await second.close();
  });

  it('brings weights back, and clears away those of trials it does not know', async () => {
    const first = await MemoryStore.open(directory);
    const { study } = await first.create({ definition: sampleDefinition('trained'), state: 'queued' });
    const { lease } = (await first.leaseStudy(study.id, 'w', 1000))!;
    const { id } = proposal(study.id, 1);
    await first.commitStep(lease, step({ proposed: [proposal(study.id, 1)] }));
    const content = Uint8Array.of(3, 1, 4, 1, 5);
    await first.settleTrial((await first.leaseTrial(id, 'w', 1000))!.lease, outcome(1), { content, limit: 5 });
    await first.close();
    writeFileSync(join(directory, 'weights', `${proposal(study.id, 2).id}.safetensors`), 'left behind');
    writeFileSync(join(directory, 'weights', `${id}.safetensors.next`), 'cut off');
    const second = await MemoryStore.open(directory);
    expect(await second.trialWeights(id)).toEqual(content);
    expect(readdirSync(join(directory, 'weights'))).toEqual([`${id}.safetensors`]);
    await second.remove(study.id).then((removed) => expect(removed).toBe(false));
    await second.transition(study.id, ['running'], 'cancelled');
    await second.remove(study.id);
    expect(readdirSync(join(directory, 'weights'))).toEqual([]);
    await second.close();
  });

  it('drops a last line that was cut off, at whatever byte', async () => {
    const first = await MemoryStore.open(directory);
    const id = await fill(first);
    await first.close();
    const whole = readFileSync(file());
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (const length of [lastLine + 1, lastLine + 40, whole.length - 1]) {
      writeFileSync(file(), whole.subarray(0, length));
      const store = await MemoryStore.open(directory);
      expect((await store.study(id)).name).toBe('kept');
      expect((await store.unclaimed()).exports).toHaveLength(1);
      await store.patch(id, { name: 'goes on' });
      await store.close();
      const next = await MemoryStore.open(directory);
      expect((await next.study(id)).name).toBe('goes on');
      await next.close();
    }
  });

  it('names file and line of damage in the middle', async () => {
    const first = await MemoryStore.open(directory);
    await fill(first);
    await first.close();
    const lines = readFileSync(file(), 'utf8').split('\n');
    lines[2] = lines[2]!.slice(0, 10);
    writeFileSync(file(), lines.join('\n'));
    await expect(MemoryStore.open(directory)).rejects.toThrow(/journal\.jsonl, line 3: expected a JSON document/);
    appendFileSync(file(), '');
    await expect(MemoryStore.open(directory), 'the failed start gave the lock back').rejects.toThrow(/line 3/);
  });

  it('is one process\'s', async () => {
    const first = await MemoryStore.open(directory);
    await expect(MemoryStore.open(directory)).rejects.toThrow(DirectoryLocked);
    await expect(MemoryStore.open(directory)).rejects.toThrow(new RegExp(`${directory} is in use by process ${process.pid}`));
    await first.close();
    await (await MemoryStore.open(directory)).close();
    expect(existsSync(join(directory, 'caddis.lock'))).toBe(false);
  });

  it('has all a process reported before it was killed', async () => {
    const script = `
      import { MemoryStore } from '${join(import.meta.dirname, '../../../../dist/libs/store/src/index.js')}';
      const store = await MemoryStore.open(process.argv[1]);
      const { study } = await store.create({ definition: { spec: { name: 'killed', labels: {} }, space: {}, devices: [] }, state: 'draft' });
      for (let i = 0; ; i++) {
        await store.patch(study.id, { name: 'n' + i });
        process.stdout.write(study.id + ' ' + i + '\\n');
        if (i === 200) process.kill(process.pid, 'SIGKILL');
      }`;
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script, directory], { encoding: 'utf8' });
    expect(signal).toBe('SIGKILL');
    const [id, last] = stdout.trim().split('\n').at(-1)!.split(' ') as [string, string];
    const store = await MemoryStore.open(directory);
    expect(Number((await store.study(id)).name.slice(1))).toBeGreaterThanOrEqual(Number(last));
    await store.close();
  });

  it('can be written anew from what it holds, and read the same', async () => {
    const first = await MemoryStore.open(directory);
    const id = await fill(first);
    const before = await all(first, id);
    await first.close();
    const held = (first as unknown as { rows: MemoryRows }).rows;
    writeFileSync(file(), [...dumpRows(held)].map((l) => `${l}\n`).join(''));
    const second = await MemoryStore.open(directory);
    expect(await all(second, id)).toEqual(before);
    expect(await second.commitStep({ id, owner: 'w', epoch: 1 }, evaluatedStep(id, 6, 6))).toMatchObject({ frontSize: 1 });
    await expect(second.commitStep({ id, owner: 'w', epoch: 1 }, evaluatedStep(id, 3, 3))).rejects.toThrow(/id .* is in use/);
    await second.close();
    const empty = new MemoryRows();
    for (const line of dumpRows(held)) loadDump(empty, JSON.parse(line) as DumpLine);
    const parsed = (rows: MemoryRows): unknown[] => [...dumpRows(rows)].map((line) => JSON.parse(line) as unknown);
    expect(parsed(empty)).toEqual(parsed(held));
  });
});
