import { describe, expect, it } from 'vitest';
import { parseEvent } from '../api/events.js';
import { fromYaml, lineOfPointer, toYaml } from '../format/yaml.js';
import { at, fieldValue, pointerOf, put } from './draft.js';
import { addressOf, placeOf, routeOf } from './location.js';
import { formatBrush, parseBrush, selectionOf } from './selection.js';

describe('the address', () => {
  it('leads to each page', () => {
    expect(['/', '/studies', '/studies/new', '/studies/x%20y', '/elsewhere'].map((p) => routeOf(p))).toEqual([
      { page: 'studies' }, { page: 'studies' }, { page: 'new' }, { page: 'study', id: 'x y' }, { page: 'unknown', path: '/elsewhere' },
    ]);
  });
  it('comes back from a place as it went in', () => {
    const place = { path: '/studies/1', query: { x: 'latency@pixel-3', brush: 'a&b:1..2', pin: '1,2' } };
    expect(placeOf(new URL(addressOf(place), 'http://h'))).toEqual(place);
  });
  it('holds selection, pins and ranges, and takes no nonsense', () => {
    expect(selectionOf({ trial: '7', open: '1', pin: '1,x,3', brush: 'latency@m7:-1e-3..2.5,bad,b:3..1' })).toEqual({ selected: 7, drawer: true, pinned: [1, 3], brush: { 'latency@m7': [-1e-3, 2.5] } });
    expect(selectionOf({ trial: '-1' }).selected).toBeNull();
  });
  it('keeps a range through writing and reading', () => {
    const brush = { 'energy@m7': [1.5e-7, 2e-3], width: [0, 3] } as const;
    expect(parseBrush(formatBrush(brush))).toEqual(brush);
  });
});

describe('a draft', () => {
  it('is changed by path and left as it was', () => {
    const draft = { objectives: [{ metric: 'accuracy' }, { metric: 'latency' }] };
    expect(put(draft, ['objectives', 1, 'unit'], 'ms')).toEqual({ objectives: [{ metric: 'accuracy' }, { metric: 'latency', unit: 'ms' }] });
    expect(put(draft, ['objectives', 0], undefined)).toEqual({ objectives: [{ metric: 'latency' }] });
    expect(put(draft, ['budget', 'maxTrials'], 5)).toHaveProperty('budget.maxTrials', 5);
    expect(draft).toEqual({ objectives: [{ metric: 'accuracy' }, { metric: 'latency' }] });
    expect(at(draft, ['objectives', 5, 'metric'])).toBeUndefined();
  });
  it('keeps what is no number as text, so that the check can say so', () => {
    expect(['12', '1e3', 'many', ' '].map((t) => fieldValue(t, true))).toEqual([12, 1000, 'many', undefined]);
  });
  it('names its fields by JSON pointer', () => {
    expect(pointerOf(['labels', 'a/b~c', 0])).toBe('/labels/a~1b~0c/0');
  });
});

describe('YAML', () => {
  it('goes to text and back', () => {
    const spec = { name: 'x', objectives: [{ metric: 'accuracy' }], budget: { maxTrials: 3 } };
    expect(fromYaml(toYaml(spec))).toEqual({ value: spec, error: null });
  });
  it('says where it can not be read', () => {
    expect(fromYaml('a: [1\nb: 2').error).toMatch(/^line \d+, column \d+: /);
    expect(fromYaml('- 1').error).toMatch(/^expected a mapping/);
  });
  it('finds the line of a pointer, or of the nearest there is', () => {
    expect(lineOfPointer('name: x\nobjectives:\n  - metric: a\n  - metric: b\n', '/objectives/1/metric')).toBe(4);
    expect(lineOfPointer('name: x\n', '/missing')).toBeNull();
  });
});

describe('an event of the stream', () => {
  it('may carry its payload or the whole event', () => {
    const due = { type: 'progress', revision: 4, data: { fraction: 1 } };
    expect(parseEvent('progress', '4', '{"fraction":1}')).toEqual(due);
    expect(parseEvent('progress', '4', '{"type":"progress","data":{"fraction":1}}')).toEqual(due);
    expect(parseEvent('progress', '4', 'not json')).toBeNull();
  });
});
