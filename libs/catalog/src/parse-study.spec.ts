import { describe, expect, it } from 'vitest';
import type { DeviceProfile } from '@app/cost';
import type { SpaceDefinition } from '@app/study';
import { Catalog } from './catalog.js';
import type { Issue } from './issue.js';
import type { StudyParse } from './parse-study.js';

const figure = { value: 1, unit: '1', source: 'test' };
const precision = { peakMacs: figure, utilisation: figure, energyPerMac: figure };
const device = (id: string, ...precisions: ('fp32' | 'int8')[]): DeviceProfile => ({
  id, title: id, class: 'mcu', precisions: Object.fromEntries(precisions.map((p) => [p, precision])), defaultPrecision: precisions[0]!,
  memory: { ram: figure, flash: null, bandwidth: figure, energyPerByte: figure, weightEnergyPerByte: figure },
  operatorOverhead: figure, staticPower: figure, activePower: null, operatorFactors: {}, runtime: { name: 'none', flash: figure, ram: figure }, uncertainty: { latency: figure, energy: figure, memory: figure },
});
const scaling: SpaceDefinition = {
  name: 'scaling', title: 'Scaling', description: 'for tests', family: 'resnet18-scaling', settings: {}, sources: ['test'],
  parameters: [
    { name: 'depth', type: 'float', min: 0.5, max: 2.5, step: 0.125, default: 1 },
    { name: 'width', type: 'float', min: 0.25, max: 2.5, step: 0.125, default: 1 },
    { name: 'resolution', type: 'float', min: 0.25, max: 2.5, default: 1 },
  ],
};
const cells: SpaceDefinition = {
  name: 'cells', title: 'Cells', description: 'for tests', family: 'nas-bench-201', settings: { resolution: 32 }, sources: ['test'],
  parameters: ['edge_1_0', 'edge_2_0', 'edge_2_1', 'edge_3_0', 'edge_3_1', 'edge_3_2'].map((name) => ({ name, type: 'categorical' as const, values: ['none', 'skip', 'conv1x1', 'conv3x3', 'avgpool3x3'], default: 'skip' })),
};
const catalog = new Catalog({ spaces: [scaling, cells], devices: [device('mcu-a', 'fp32', 'int8'), device('mcu-b', 'int8')] });

const base = {
  name: 'a study', searchSpace: 'scaling', accuracy: { method: 'none' },
  objectives: [{ metric: 'macs' }, { metric: 'latency', target: 'mcu-a' }], budget: { maxTrials: 10 },
};
const parse = (changes: Record<string, unknown> = {}): StudyParse => catalog.parseStudySpec({ ...base, ...changes });
const issues = (changes: Record<string, unknown>): readonly Issue[] => {
  const result = parse(changes);
  return 'issues' in result ? result.issues : [];
};
const definition = (changes: Record<string, unknown> = {}): Extract<StudyParse, { definition: unknown }>['definition'] => {
  const result = parse(changes);
  if ('issues' in result) throw new Error(JSON.stringify(result.issues));
  return result.definition;
};

describe('what comes in', () => {
  it('takes YAML, JSON and values alike', () => {
    const yaml = 'name: a study\nsearchSpace: scaling\naccuracy: {method: none}\nobjectives:\n  - metric: macs\n  - {metric: latency, target: mcu-a}\nbudget: {maxTrials: 10}\n';
    expect(catalog.parseStudySpec(yaml)).toEqual(parse());
    expect(catalog.parseStudySpec(JSON.stringify(base, null, '\t'))).toEqual(parse());
  });

  it('keeps copies: changing a study does not change the catalog', () => {
    const { space, devices } = definition();
    expect(space).toEqual(scaling);
    expect(space).not.toBe(scaling);
    expect(space.parameters).not.toBe(scaling.parameters);
    expect(devices[0]).not.toBe(catalog.device('mcu-a'));
  });

  it.each([
    ['tabs as indentation', 'name: x\nbudget:\n\tmaxTrials: 3\n', /^line 3, column 1: Tabs are not allowed/],
    ['a key that comes twice', 'name: x\nname: y\n', /^line 2, column 1: key "name" stands twice/],
    ['two documents', 'name: x\n---\nname: y\n', /^line 2, column 1: Source contains multiple documents/],
    ['an unknown tag', 'name: !!js/function x\n', /^line 1, column 7: Unresolved tag/],
    ['an alias inside itself', 'name: &a [*a]\n', /an alias that contains itself/],
    ['aliases that multiply', 'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n', /Excessive alias count/],
    ['nesting without end', `a: ${'['.repeat(200)}${']'.repeat(200)}`, /nesting of at most 64 levels/],
    ['brackets without end', '['.repeat(200_000), /nesting of at most 64 levels/],
    ['dashes without end', '- '.repeat(20_000), /.+/],
    ['keys that are collections', '? {a: 1}\n: x\n', /^line 1, column 3: expected a plain key, got a collection/],
    ['an alias to nothing', 'name: *nobody\n', /Unresolved alias/],
    ['a text that is too long', `name: ${'x'.repeat(250_001)}`, /at most 250000 characters/],
  ])('refuses %s', (_what, text, message) => {
    const result = catalog.parseStudySpec(text);
    expect('issues' in result && result.issues[0]).toMatchObject({ pointer: '', code: 'invalid-yaml' });
    expect('issues' in result && result.issues[0]!.message).toMatch(message);
  });

  it.each([[''], ['42'], ['[1, 2]'], [null], [undefined], [[]], [17]])('refuses %j as no study', (input) => {
    const result = catalog.parseStudySpec(input);
    expect('issues' in result && result.issues[0]).toMatchObject({ pointer: '', message: expect.stringMatching(/expected object/) as string });
  });
});

describe('fields', () => {
  it('lists all faults at once, each with its place, what came and what was due', () => {
    expect(issues({ budget: { maxTrials: 0.5 }, surprise: 1, accuracy: { method: 'guess' }, name: undefined, objectives: [{ metric: 'macs', direction: 'up' }] })).toEqual([
      { pointer: '/name', code: 'missing', message: 'missing: expected string' },
      { pointer: '/accuracy/method', code: 'invalid-union', message: expect.stringMatching(/Expected 'table' \| 'surrogate' \| 'none' \| 'command' \| 'http' \| 'train' \| 'proxy' \| 'supernet', got "guess"/) as string },
      { pointer: '/objectives/0/direction', code: 'invalid-value', message: 'Invalid option: expected one of "minimize"|"maximize", got "up"' },
      { pointer: '/budget/maxTrials', code: 'invalid-type', message: expect.stringMatching(/int.*got 0.5|expected int/) as string },
      { pointer: '/surprise', code: 'unknown-field', message: 'unknown field "surprise"' },
    ]);
  });

  it('refuses numbers that are not finite', () => {
    for (const value of [Number.NaN, Infinity]) expect(issues({ constraints: [{ metric: 'macs', op: '<=', value }] })[0]!.pointer).toBe('/constraints/0/value');
    const text = 'name: x\nsearchSpace: scaling\naccuracy: {method: none}\nobjectives: [{metric: macs}]\nconstraints: [{metric: macs, op: <=, value: .inf}]\nbudget: {maxTrials: 1}';
    expect(catalog.parseStudySpec(text)).toMatchObject({ issues: [{ pointer: '/constraints/0/value' }] });
  });

  it('tells the faults of the form of a search space that was meant', () => {
    expect(issues({ searchSpace: { base: 'scaling', parameters: { depth: { mn: 1 } } } })).toEqual([{ pointer: '/searchSpace/parameters/depth/mn', code: 'unknown-field', message: 'unknown field "mn"' }]);
    expect(issues({ searchSpace: { parameters: [{ name: 'x', type: 'int', min: 0, max: 'ten' }] } })[0]).toMatchObject({ pointer: '/searchSpace/parameters/0/max' });
    expect(issues({ searchSpace: 7 })[0]).toEqual({ pointer: '/searchSpace', code: 'invalid-type', message: 'expected string or object, got 7' });
  });

  it('escapes names in pointers', () => {
    expect(issues({ 'a/b~c': 1 })[0]!.pointer).toBe('/a~1b~0c');
  });
});

describe('search spaces', () => {
  it('names an unknown space and the known ones', () => {
    expect(issues({ searchSpace: 'scalling' })).toEqual([{ pointer: '/searchSpace', code: 'unknown-space', message: 'unknown search space "scalling"; known: scaling, cells' }]);
    expect(issues({ searchSpace: { base: 'x' } })[0]!.pointer).toBe('/searchSpace/base');
  });

  const narrowed = (parameters: Record<string, unknown>, base = 'scaling'): SpaceDefinition['parameters'] => definition({ searchSpace: { base, parameters } }).space.parameters;

  it('narrows a range, keeps the grid, and moves a default that fell outside', () => {
    expect(narrowed({ depth: { min: 1.5, max: 2 }, width: { min: 0.5, max: 1.5, step: 0.25 }, resolution: { max: 0.75 } })).toEqual([
      { name: 'depth', type: 'float', min: 1.5, max: 2, step: 0.125, default: 1.5 },
      { name: 'width', type: 'float', min: 0.5, max: 1.5, step: 0.25, default: 1 },
      { name: 'resolution', type: 'float', min: 0.25, max: 0.75, default: 0.75 },
    ]);
    expect(narrowed({ width: { min: 0.25, max: 2.25, step: 0.5 } })[1]).toMatchObject({ default: 1.25 });
  });

  it('fixes a parameter to one value and keeps chosen ones', () => {
    expect(narrowed({ depth: { fixed: 1 }, width: { values: [2, 0.5, 1.25] } }).slice(0, 2)).toEqual([
      { name: 'depth', type: 'float', min: 1, max: 1, default: 1 },
      { name: 'width', type: 'ordinal', values: [0.5, 1.25, 2], default: 1.25 },
    ]);
    expect(narrowed({ edge_1_0: { values: ['conv3x3', 'none'] }, edge_2_0: { fixed: 'conv1x1' } }, 'cells').slice(0, 2)).toEqual([
      { name: 'edge_1_0', type: 'categorical', values: ['none', 'conv3x3'], default: 'none' },
      { name: 'edge_2_0', type: 'categorical', values: ['conv1x1'], default: 'conv1x1' },
    ]);
  });

  it.each([
    [{ dpth: {} }, '/searchSpace/parameters/dpth', /no parameter "dpth"; it has depth, width, resolution/],
    [{ depth: { min: 0.3 } }, '/searchSpace/parameters/depth/min', /from 0.5 to 2.5, got 0.3/],
    [{ depth: { min: 0.55 } }, '/searchSpace/parameters/depth/min', /0.55/],
    [{ depth: { min: 2, max: 1 } }, '/searchSpace/parameters/depth/max', /nothing between 2 and 1/],
    [{ depth: { step: 0.2 } }, '/searchSpace/parameters/depth/step', /multiple of 0.125, got 0.2/],
    [{ depth: { min: 1, max: 2, step: 0.75 } }, '/searchSpace/parameters/depth/step', /miss max 2/],
    [{ depth: { fixed: 9 } }, '/searchSpace/parameters/depth/fixed', /got 9/],
    [{ depth: { fixed: 1, min: 1 } }, '/searchSpace/parameters/depth/fixed', /stands alone/],
    [{ depth: { values: [1, 1] } }, '/searchSpace/parameters/depth/values/1', /stands twice/],
    [{ depth: { values: [1, 'x'] } }, '/searchSpace/parameters/depth/values/1', /got "x"/],
  ])('refuses the narrowing %j', (parameters, at, message) => {
    const [issue, ...more] = issues({ searchSpace: { base: 'scaling', parameters } });
    expect(issue).toMatchObject({ pointer: at, message: expect.stringMatching(message) as string });
    expect(more).toEqual([]);
  });

  it('refuses a range on a categorical parameter', () => {
    expect(issues({ searchSpace: { base: 'cells', parameters: { edge_1_0: { max: 2 } } } })[0]).toMatchObject({ pointer: '/searchSpace/parameters/edge_1_0/max', message: expect.stringMatching(/type categorical; use values or fixed/) as string });
  });

  it('takes own parameters with a command, and finds their faults', () => {
    const own = { searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1 }] }, accuracy: { method: 'command', command: ['./run'], metrics: ['score'] }, objectives: [{ metric: 'score', direction: 'maximize' }] };
    expect(definition(own).space).toMatchObject({ name: 'custom', family: 'none' });
    expect(issues({ ...own, searchSpace: { parameters: [{ name: 'x', type: 'float', min: 1, max: 0 }] } })[0]).toMatchObject({ pointer: '/searchSpace/parameters/0/max', code: 'invalid-parameter' });
  });
});

describe('devices', () => {
  it('gives listed ones first, targets after, and the chosen precision as the default', () => {
    const { devices } = definition({ devices: [{ id: 'mcu-b' }, { id: 'mcu-a', precision: 'int8' }] });
    expect(devices.map((d) => [d.id, d.defaultPrecision])).toEqual([['mcu-b', 'int8'], ['mcu-a', 'int8']]);
    expect(catalog.device('mcu-a').defaultPrecision).toBe('fp32');
  });

  it('names every unknown device with its place and the known ones', () => {
    const found = issues({ devices: [{ id: 'toaster' }], objectives: [{ metric: 'latency', target: 'tv' }], constraints: [{ metric: 'flash', op: '<=', value: 1, target: 'lamp' }] });
    expect(found.map((i) => i.pointer)).toEqual(['/devices/0/id', '/objectives/0/target', '/constraints/0/target']);
    expect(found[0]!.message).toBe('unknown device "toaster"; known: mcu-a, mcu-b');
  });

  it('takes weights in fewer bits, with int8', () => {
    const { devices } = definition({ devices: [{ id: 'mcu-a', weightBits: 4 }, { id: 'mcu-b', precision: 'int8', weightBits: 2 }] });
    expect(devices.map((d) => [d.defaultPrecision, d.defaultWeightBits])).toEqual([['int8', 4], ['int8', 2]]);
    expect(catalog.device('mcu-a').defaultWeightBits).toBeUndefined();
  });

  it.each([
    ['in another precision', { id: 'mcu-a', precision: 'fp32', weightBits: 4 }, 'weights of fewer bits go with precision int8; got "fp32"'],
    ['on a device without int8', { id: 'gpu', profile: 'gpu-c', weightBits: 4 }, 'weights of fewer bits go with precision int8; device "gpu" has fp32'],
    ['where they are to be measured', { id: 'mcu-a', weightBits: 4, measure: { agent: { command: ['x'] }, metrics: ['latency'] } }, 'weights of fewer bits are priced, not measured; device "mcu-a" measures latency'],
  ])('refuses weights of fewer bits %s', (_, entry, message) => {
    const result = new Catalog({ spaces: [scaling], devices: [...catalog.devices(), device('gpu-c', 'fp32')] }).parseStudySpec({ ...base, devices: [entry] });
    expect('issues' in result && result.issues).toEqual([{ pointer: '/devices/0/weightBits', code: 'unsupported-weight-bits', message }]);
  });

  it('refuses a precision the device lacks and a device that stands twice', () => {
    expect(issues({ devices: [{ id: 'mcu-b', precision: 'fp32' }] })).toEqual([{ pointer: '/devices/0/precision', code: 'unknown-precision', message: 'device "mcu-b" has int8; got "fp32"' }]);
    expect(issues({ devices: [{ id: 'mcu-b' }, { id: 'mcu-b' }] })[0]).toMatchObject({ pointer: '/devices/1/id', code: 'duplicate' });
  });

  it('takes a device of your own by the profile that prices what is not measured', () => {
    const { devices } = definition({ objectives: [{ metric: 'latency', target: 'my-phone' }], devices: [{ id: 'my-phone', profile: 'mcu-a', precision: 'int8', measure: { agent: { command: ['python3', 'agent.py'] } } }, { id: 'mcu-b' }] });
    expect(devices.map((d) => [d.id, d.defaultPrecision])).toEqual([['my-phone', 'int8'], ['mcu-b', 'int8']]);
    expect(devices[0]!.measure).toEqual({ agent: { command: ['python3', 'agent.py'] }, metrics: ['latency'], warmup: 10, repeats: 50, threads: 1, timeout: 120 });
    expect(devices[1]!.measure).toBeUndefined();
  });

  it.each([
    ['a device of your own without a profile', { id: 'my-phone', measure: { agent: { url: 'http://10.0.0.7:8077/' } } }, '/devices/0/id', /^unknown device "my-phone"; a device of your own needs a profile beside it/],
    ['an unknown profile', { id: 'my-phone', profile: 'toaster' }, '/devices/0/profile', /^unknown device "toaster"; known: mcu-a, mcu-b$/],
    ['an address that is none', { id: 'mcu-a', measure: { agent: { url: 'ftp://10.0.0.7/' } } }, '/devices/0/measure/agent/url', /http:\/\/ or https:\/\//],
    ['an empty command', { id: 'mcu-a', measure: { agent: { command: [] } } }, '/devices/0/measure/agent/command', />=1/],
    ['two ways at once', { id: 'mcu-a', measure: { agent: { command: ['x'], url: 'http://a/' } } }, '/devices/0/measure/agent/url', /unknown field "url"/],
    ['energy by this machine', { id: 'mcu-a', measure: { metrics: ['latency', 'energy'] } }, '/devices/0/measure/metrics/1', /agent "host" measures latency only; got "energy"/],
    ['a metric that can\'t be measured', { id: 'mcu-a', measure: { metrics: ['accuracy'] } }, '/devices/0/measure/metrics/0', /accuracy/],
    ['too few repeats', { id: 'mcu-a', measure: { repeats: 1 } }, '/devices/0/measure/repeats', />=5.*got 1/],
  ])('refuses %s', (_, listed, pointer, message) => {
    const [first] = issues({ devices: [listed], objectives: [{ metric: 'macs' }] });
    expect(first).toMatchObject({ pointer, message: expect.stringMatching(message) as string });
  });
});

describe('metrics and tasks', () => {
  it('a task left out is the usual one of the space, field by field', () => {
    const of = (task: SpaceDefinition['task'], given?: object): unknown => {
      const parsed = new Catalog({ spaces: [{ ...scaling, ...(task && { task }) }], devices: [device('mcu-a', 'int8')] }).parseStudySpec({ ...base, ...(given && { task: given }) });
      return 'issues' in parsed ? parsed.issues : parsed.definition.spec.task;
    };
    expect(of({ numClasses: 12, inputChannels: 1 })).toEqual({ numClasses: 12, inputChannels: 1 });
    expect(of({ numClasses: 12, inputChannels: 1 }, { inputChannels: 2 })).toEqual({ numClasses: 12, inputChannels: 2 });
    expect(of({ numClasses: 10 })).toEqual({ numClasses: 10, inputChannels: 3 });
    expect(of(undefined)).toEqual({ numClasses: 1000, inputChannels: 3 });
  });

  it('a network that reconstructs its input can not be trained as a classifier', () => {
    const parsed = new Catalog({ spaces: [{ ...scaling, family: 'autoencoder' }], devices: [device('mcu-a', 'int8')] })
      .parseStudySpec({ ...base, accuracy: { method: 'proxy', dataset: { format: 'synthetic' } } });
    expect(parsed).toMatchObject({ issues: [{ pointer: '/accuracy/method', code: 'unsupported-method', message: expect.stringMatching(/there are command, .*none$/) as string }] });
  });

  it('gives a study that trains the classes and channels of its data where the task is silent, and refuses others', () => {
    const train = (dataset: object, task?: object) => ({ accuracy: { method: 'train', dataset }, objectives: [{ metric: 'accuracy' }], ...(task === undefined ? {} : { task }) });
    const synthetic = { format: 'synthetic', classes: 5, channels: 2 };
    expect(definition(train(synthetic)).spec.task).toEqual({ numClasses: 5, inputChannels: 2 });
    expect(definition(train(synthetic, { inputChannels: 2 })).spec.task).toEqual({ numClasses: 5, inputChannels: 2 });
    expect(definition(train({ format: 'idx', directory: 'data' }, { numClasses: 10 })).spec.task).toEqual({ numClasses: 10, inputChannels: 1 });
    expect(issues(train({ format: 'cifar10', directory: 'data' }, { numClasses: 100, inputChannels: 1 }))).toEqual([
      { pointer: '/task/numClasses', code: 'unfitting-task', message: 'data set cifar10 has 10 classes; got 100' },
      { pointer: '/task/inputChannels', code: 'unfitting-task', message: 'data set cifar10 has 3 channels; got 1' },
    ]);
  });

  it('takes a supernet for a FlyNet space, of one fidelity, compared with no network or with three at least', () => {
    const supernet = (given: object = {}, around: object = {}) => ({ accuracy: { method: 'supernet', dataset: { format: 'synthetic', classes: 5 }, ...given }, objectives: [{ metric: 'accuracy' }], ...around });
    expect(issues(supernet())).toEqual([{ pointer: '/accuracy/method', code: 'unsupported-method', message: expect.stringMatching(/^method "supernet" knows flynet; for "scaling" there are/) as string }]);
    expect(issues(supernet({ standAlone: 2 }))[0]).toMatchObject({ pointer: '/accuracy/standAlone', message: expect.stringMatching(/expected 0, or at least 3/) as string });
    expect(issues(supernet({}, { fidelity: { lowest: 0.1 } }))[0]).toMatchObject({ pointer: '/fidelity', message: expect.stringMatching(/"supernet" has one fidelity only/) as string });
    const parsed = new Catalog({ spaces: [{ ...scaling, family: 'flynet' }], devices: [device('mcu-a', 'int8')] }).parseStudySpec({ ...base, ...supernet() });
    expect(parsed).toMatchObject({ definition: { spec: { task: { numClasses: 5, inputChannels: 1 }, accuracy: { epochs: 20, switches: 8, calibration: 16, standAlone: 0 } } } });
  });

  it('knows the score of an untrained network from an accuracy', () => {
    const proxy = { accuracy: { method: 'proxy', dataset: { format: 'synthetic' } } };
    expect(definition({ ...proxy, objectives: [{ metric: 'proxy' }] }).spec.accuracy).toMatchObject({ proxy: 'naswot', batch: 32 });
    expect(issues({ ...proxy, objectives: [{ metric: 'accuracy' }] })[0]?.message).toBe('"accuracy" can\'t be had of an untrained network; its score is metric "proxy"');
    expect(issues({ objectives: [{ metric: 'proxy' }] })[0]?.message).toBe('"proxy" needs accuracy.method "proxy"; it is "none"');
  });

  it('refuses accuracy where nothing finds it, and says what would', () => {
    expect(issues({ objectives: [{ metric: 'accuracy' }] })).toEqual([{ pointer: '/objectives/0/metric', code: 'unavailable-metric', message: '"accuracy" needs an accuracy method; for "scaling" there are train, proxy, command, http' }]);
  });

  it('refuses a table for a space without one', () => {
    expect(issues({ accuracy: { method: 'table' } })).toEqual([{ pointer: '/accuracy/method', code: 'unsupported-method', message: expect.stringMatching(/"table" knows nas-bench-201; for "scaling" there are/) as string }]);
  });

  it('wants every metric of a command named, and computes counts only for spaces with networks', () => {
    const own = { searchSpace: { parameters: [{ name: 'x', type: 'int', min: 0, max: 9 }] }, accuracy: { method: 'command', command: ['./run'], metrics: ['score'] } };
    expect(issues({ ...own, objectives: [{ metric: 'scor' }, { metric: 'macs' }], constraints: [{ metric: 'latency', target: 'mcu-a', op: '<=', value: 1 }] }).map((i) => i.pointer)).toEqual([
      '/objectives/0/metric', '/objectives/1/metric', '/constraints/0/metric',
    ]);
    expect(issues({ ...own, accuracy: { ...own.accuracy, metrics: ['score', 'macs'] }, objectives: [{ metric: 'score' }, { metric: 'macs' }] })).toEqual([]);
  });

  it('takes classes and image size from the tabulated data set, and refuses classes that contradict it', () => {
    const table = { searchSpace: 'cells', accuracy: { method: 'table', dataset: 'imagenet16-120' }, objectives: [{ metric: 'error' }, { metric: 'params' }] };
    const { spec, space } = definition(table);
    expect([spec.task.numClasses, space.settings['resolution']]).toEqual([120, 16]);
    expect(issues({ ...table, task: { numClasses: 1000 } })).toEqual([{ pointer: '/task/numClasses', code: 'unfitting-task', message: 'data set imagenet16-120 has 120 classes; got 1000' }]);
    expect(definition({ ...table, task: { inputChannels: 1 } }).spec.task).toEqual({ numClasses: 120, inputChannels: 1 });
  });
});

describe('start points and reference', () => {
  it('fills in defaults and refuses what lies outside the space', () => {
    expect(definition({ start: [{ depth: 2 }, {}] }).spec.start).toEqual([{ depth: 2, width: 1, resolution: 1 }, { depth: 1, width: 1, resolution: 1 }]);
    expect(issues({ start: [{ depth: 2 }, { depth: 3, hight: 1 }] }).map((i) => [i.pointer, i.code])).toEqual([['/start/1/hight', 'outside-space'], ['/start/1/depth', 'outside-space']]);
  });

  it('wants all objectives in the reference point or none', () => {
    expect(issues({ referencePoint: { macs: 1e9 } })[0]).toMatchObject({ pointer: '/referencePoint/latency@mcu-a' });
    expect(issues({ referencePoint: { macs: 1e9, 'latency@mcu-a': 0.1 } })).toEqual([]);
  });
});
