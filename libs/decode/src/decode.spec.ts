import { describe, expect, it } from 'vitest';
import { decode, FAMILIES, FAMILY_NAMES, pointFromArchitecture } from './decode.js';
import { DecodeError } from './decode-error.js';

const task = { numClasses: 10, inputChannels: 3 };
const point = { depth: 1, width: 1, resolution: 1 };

describe('decode', () => {
  it('says that points of a space without networks have none, and which families there are', () => {
    expect(() => decode({ family: 'none', settings: {} }, {}, task)).toThrow(/family: expected one of flynet, mobilenet-v1, .*nas-bench-201, .*autoencoder \(points .*"none" stand for no network\), got "none"/);
    expect(() => decode({ family: 'toString', settings: {} }, {}, task)).toThrow(/got "toString"/);
  });

  it('names a parameter that is missing, unknown or of the wrong type', () => {
    const space = { family: 'resnet18-scaling', settings: {} };
    expect(() => decode(space, { depth: 1, width: 1 }, task)).toThrow('resolution: expected a number from 0.25 to 2.5, got nothing');
    expect(() => decode(space, { ...point, height: 3 }, task)).toThrow('height: expected no such entry; known are depth, width, resolution, got 3');
    expect(() => decode(space, { ...point, width: '1' }, task)).toThrow('width: expected a number from 0.25 to 2.5, got "1"');
  });

  it('names a setting or a task that no network can be built with', () => {
    expect(() => decode({ family: 'resnet18-scaling', settings: { cells: 3 } }, point, task)).toThrow('settings.cells: expected no such entry');
    expect(() => decode({ family: 'flynet', settings: { temperature: 'hot' } }, {}, task)).toThrow(DecodeError);
    expect(() => decode({ family: 'resnet18-scaling', settings: {} }, point, { ...task, numClasses: 0 })).toThrow('task.numClasses: expected an integer of at least 1, got 0');
  });

  it('calls every family by its own name', () => {
    for (const name of FAMILY_NAMES) expect(FAMILIES[name].name).toBe(name);
  });

  it('finds the point of an architecture code, in families that have codes', () => {
    expect(pointFromArchitecture('nas-bench-201', '000004')).toMatchObject({ edge_3_2: 'avgpool3x3' });
    expect(pointFromArchitecture('fbnet', '0'.repeat(21) + '8')).toMatchObject({ block22: 'skip' });
    expect(() => pointFromArchitecture('flynet', '0')).toThrow('family: expected one whose points have a code: fbnet, nas-bench-201, got "flynet"');
  });

  it('gives equal graphs for equal points', () => {
    const space = { family: 'resnet18-scaling', settings: {} };
    expect(decode(space, point, task)).toEqual(decode(space, { ...point }, task));
  });
});
