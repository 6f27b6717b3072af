import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBLEMS, inWords, schemaErrors } from './problem.js';
import { isUnavailable } from './problem.filter.js';

describe('the table of problems in README.md', () => {
  it('names every problem with its status, and no other', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
    const rows = [...readme.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map((m) => [m[1], Number(m[2])]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(Object.entries(PROBLEMS).map(([kind, { status }]) => [kind, status])));
  });
});

describe('schemaErrors', () => {
  it('escapes ~ and / in JSON pointers', () => {
    expect(schemaErrors([{ message: 'm', code: 'c', path: ['a/b', 0, '~x'] }], 'body')).toEqual([{ pointer: '/a~1b/0/~0x', code: 'c', message: 'm' }]);
  });

  it('points at each unknown field', () => {
    expect(schemaErrors([{ message: 'Unrecognized keys', code: 'unrecognized_keys', path: ['budget'], keys: ['x', 'y'] }], 'body').map((e) => e.pointer)).toEqual(['/budget/x', '/budget/y']);
  });

  it('keeps at most a hundred', () => {
    const errors = schemaErrors(Array.from({ length: 5000 }, (_, i) => ({ message: 'm', path: [i] })), 'body');
    expect(errors).toHaveLength(100);
    expect(inWords(errors, 'the body')).toBe('/0: m (and 99 more)');
  });
});

describe('isUnavailable', () => {
  it.each([
    [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' })],
    [Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' })],
    [Object.assign(new Error('query failed'), { driverError: Object.assign(new Error('x'), { code: '08006' }) })],
    [new Error('outer', { cause: new Error('timeout exceeded when trying to connect') })],
    [new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })], 'all failed')],
  ])('sees a server that is down in %s', (error) => {
    expect(isUnavailable(error)).toBe(true);
  });

  it.each([[new Error('duplicate key value')], [Object.assign(new Error('x'), { code: '23505' })], [new TypeError('x is undefined')], [Object.assign(new Error('no file'), { code: 'ENOENT' })], ['text'], [null]])('takes %s for a fault of ours', (error) => {
    expect(isUnavailable(error)).toBe(false);
  });
});
