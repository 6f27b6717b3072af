import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyTable } from './key-table.js';

const tell = <T>(table: KeyTable<T>, key: readonly number[]): void => {
  table.begin();
  key.forEach((number) => table.add(number));
};

describe('a table of keys', () => {
  it('holds what a map holds, fractions and large numbers among its keys', () => {
    const numbers = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(0.5, 1e-3, 2 ** 32, -(2 ** 31), 2 ** 30));
    const keys = fc.array(fc.array(numbers, { maxLength: 4 }), { maxLength: 300 });
    const table = new KeyTable<number>();
    fc.assert(fc.property(keys, (asked) => {
      table.clear();
      const plain = new Map<string, number>();
      asked.forEach((key, i) => {
        tell(table, key);
        const entry = table.find();
        const due = plain.get(key.join());
        expect(entry < 0 ? undefined : table.get(entry)).toBe(due);
        if (due !== undefined) return;
        plain.set(key.join(), i);
        table.insert(i);
      });
      expect(table.size).toBe(plain.size);
    }), { numRuns: 60 });
  });

  it('grows beyond its first thousand places', () => {
    const table = new KeyTable<number>();
    for (let i = 0; i < 5000; i++) {
      tell(table, [i % 70, Math.floor(i / 70), i % 3]);
      table.insert(i);
    }
    for (let i = 0; i < 5000; i++) {
      tell(table, [i % 70, Math.floor(i / 70), i % 3]);
      expect(table.get(table.find())).toBe(i);
    }
  });

  it('refuses keys beyond its room', () => {
    const table = new KeyTable<number>();
    expect(() => tell(table, new Array<number>(257).fill(1))).toThrow('key: expected at most 256 numbers');
  });
});
