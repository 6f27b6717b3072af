import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fits, priceNetwork, type DeviceProfile } from '@app/cost';
import { decode } from '@app/decode';
import { graphBuilder } from '@app/graph';
import { CatalogError } from './data-fault.js';
import { deviceProfileJsonSchema, loadDevices, readDevice } from './devices.js';
import { completePoint } from './points.js';
import { loadSpaces } from './space-file.js';

const dir = join(import.meta.dirname, '../../../hw-profiles');
const devices = loadDevices(dir);
const device = (id: string): DeviceProfile => devices.find((d) => d.id === id)!;
const text = readFileSync(join(dir, 'stm32f446re.yaml'), 'utf8');

describe('the hardware profiles', () => {
  it('hold the devices of Table 1.2 with its memories, powers and prices', () => {
    // thesis, Table 1.2; bytes are binary
    const table = { v100: [17179869184, null, 9000], phone: [4294967296, 68719476736, 750], stm32f446re: [131072, 524288, 3], stm32f746zg: [327680, 1048576, 5], stm32f767zi: [524288, 2097152, 8] } as const;
    const ours = Object.keys(table).map((id) => [id, [device(id).memory.ram.value, device(id).memory.flash?.value ?? null, device(id).price?.value]]);
    expect(Object.fromEntries(ours)).toEqual(table);
    expect([device('v100').activePower?.value, device('phone').activePower?.value]).toEqual([250, 8]);
  });

  it('hold the devices of the measured table, simulated ones by 16-bit arithmetic', () => {
    expect(['raspberry-pi-4', 'pixel-3', 'eyeriss', 'fpga-zc706'].map((id) => device(id).defaultPrecision)).toEqual(['fp32', 'fp32', 'fp16', 'fp16']);
  });

  it('charge the energies of Table 1.1 for a multiply-accumulate and for memory', () => {
    const pJ = 1e-12;
    expect(device('v100').precisions.fp32!.energyPerMac.value).toBeCloseTo((3.7 + 0.9) * pJ, 18);
    expect(device('v100').precisions.fp16!.energyPerMac.value).toBeCloseTo((1.1 + 0.4) * pJ, 18);
    expect(device('stm32f446re').precisions.int8!.energyPerMac.value).toBeCloseTo((0.2 + 0.1) * pJ, 18);
    expect([device('v100').memory.energyPerByte.value * 4, device('stm32f446re').memory.energyPerByte.value * 4]).toEqual([640 * pJ, 5 * pJ]);
  });

  it('name the schema in the first line and give every figure a source that says something', () => {
    for (const file of readdirSync(dir).filter((f) => f.endsWith('.yaml'))) {
      const content = readFileSync(join(dir, file), 'utf8');
      expect(content.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema/hw-profile.schema.json');
      const walk = (node: unknown, path: string): void => {
        if (typeof node !== 'object' || node === null) return;
        if ('value' in node) expect((node as { source?: string }).source?.length ?? 0, `${file} ${path}`).toBeGreaterThan(10);
        else for (const [key, child] of Object.entries(node)) walk(child, `${path}/${key}`);
      };
      walk(parse(content), '');
    }
  });

  it('have a JSON Schema that is current', () => {
    // get it again: write deviceProfileJsonSchema() there with two blanks of indentation
    expect(JSON.parse(readFileSync(join(dir, 'schema/hw-profile.schema.json'), 'utf8'))).toEqual(deviceProfileJsonSchema());
  });

  it('know ResNet-8 on a microcontroller: its sums hold the relu behind them', () => {
    const [space] = loadSpaces(join(dir, '../search-spaces')).filter((s) => s.name === 'resnet-8');
    const graph = decode(space!, completePoint(space!.parameters, {}), { numClasses: 10, inputChannels: 3 });
    expect(priceNetwork(graph, devices.find((d) => d.id === 'stm32h743zi')!).latency.warnings).toEqual([]);
  });

  it('price a network of every family, at every precision they have', () => {
    const spaces = loadSpaces(join(dir, '../search-spaces'));
    expect(spaces.length).toBeGreaterThanOrEqual(3);
    const graphs = spaces.map((space) => decode(space, completePoint(space.parameters, {}), { numClasses: 10, inputChannels: 3 }));
    for (const profile of devices) {
      for (const precision of Object.keys(profile.precisions) as (keyof typeof profile.precisions)[]) {
        for (const graph of graphs) {
          const cost = priceNetwork(graph, profile, precision);
          for (const e of [cost.latency, cost.energy, cost.peakRam, cost.flash]) {
            expect(e.value, `${profile.id} ${precision}`).toBeGreaterThan(0);
            expect(e.low < e.value && e.value < e.high).toBe(true);
          }
        }
      }
    }
  });
});

/** Person detection of the TFLM examples: MobileNet v1 0.25 at 96×96×1, 2 classes (MicroNets, table 5). */
function personDetection() {
  const b = graphBuilder('person-detection');
  let x = b.input([1, 1, 96, 96]);
  const conv = (outChannels: number, kernel: number, stride: number, groups = 1): void => {
    x = b.activation(b.batchNorm(b.conv2d(x, { outChannels, kernel, stride, groups, padding: 'same' })), 'relu6');
  };
  conv(8, 3, 2);
  let c = 8;
  for (const [out, stride] of [[16, 1], [32, 2], [32, 1], [64, 2], [64, 1], [128, 2], [128, 1], [128, 1], [128, 1], [128, 1], [128, 1], [256, 2], [256, 1]] as const) {
    conv(c, 3, stride, c);
    conv(out, 1, 1);
    c = out;
  }
  b.output(b.linear(b.flatten(b.globalAvgPool(x)), 2));
  return b.build();
}

describe('prices against measurements of MicroNets (arXiv 2010.11267, tables 4 and 5), person detection', () => {
  const graph = personDetection();
  const measured = { stm32f446re: { latency: 0.254, energy: 39.96e-3 }, stm32f746zg: { latency: 0.108, energy: 49.32e-3 }, stm32f767zi: { latency: 0.108 } } as const;

  it.each(Object.entries(measured))('%s: latency and energy lie in the interval', (id, due) => {
    const cost = priceNetwork(graph, device(id));
    expect(cost.macs).toBeCloseTo(7157888, -5);
    expect(due.latency).toBeGreaterThan(cost.latency.low);
    expect(due.latency).toBeLessThan(cost.latency.high);
    if ('energy' in due) {
      expect(due.energy).toBeGreaterThan(cost.energy.low);
      expect(due.energy).toBeLessThan(cost.energy.high);
    }
  });

  it('SRAM 82.3 KiB and binary 398 KiB lie in the interval, and it fits the smallest board', () => {
    const cost = priceNetwork(graph, device('stm32f446re'));
    expect([cost.peakRam.low < 82.3 * 1024, 82.3 * 1024 < cost.peakRam.high]).toEqual([true, true]);
    expect([cost.flash.low < 398 * 1024, 398 * 1024 < cost.flash.high]).toEqual([true, true]);
    expect(fits(cost, device('stm32f446re'))).toEqual([]);
  });
});

describe('a faulty profile', () => {
  const dirs: string[] = [];
  afterAll(() => dirs.forEach((d) => rmSync(d, { recursive: true })));
  const folder = (files: Record<string, string>): string => {
    const d = mkdtempSync(join(tmpdir(), 'caddis-devices-'));
    dirs.push(d);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(d, name), content);
    return d;
  };

  it('is refused with every fault of every file', () => {
    const d = folder({
      'a.yaml': text.replace('id: stm32f446re', 'id: a').replace('unit: "MAC/s"', 'unit: "FLOP/s"').replace('value: 131072', 'value: -1'),
      'b.yaml': text.replace('id: stm32f446re', 'id: b').replace('class: mcu', 'class: toaster'),
      'c.yaml': 'id: [',
      'notes.txt': 'not a profile',
    });
    let faults: CatalogError['faults'] = [];
    try {
      loadDevices(d);
    } catch (error) {
      faults = (error as CatalogError).faults;
    }
    const seen = faults.map((f) => [f.file.split('/').at(-1), f.path]);
    expect(seen).toEqual(expect.arrayContaining([['a.yaml', '/precisions/int8/peakMacs/unit'], ['a.yaml', '/memory/ram/value'], ['b.yaml', '/class']]));
    expect(seen.some(([file]) => file === 'c.yaml')).toBe(true);
    expect(faults.find((f) => f.path === '/memory/ram/value')!.message).toContain('-1');
  });

  it('must carry the name of its file', () => {
    expect(readDevice('other.yaml', text)).toEqual({ faults: [{ path: '/id', message: 'expected the name of the file, "other", got "stm32f446re"' }] });
  });

  it('must have its default precision among its precisions', () => {
    const read = readDevice('stm32f446re.yaml', text.replace('defaultPrecision: int8', 'defaultPrecision: fp16'));
    expect('faults' in read && read.faults[0]).toEqual({ path: '/defaultPrecision', message: 'expected one of precisions (int8), got "fp16"' });
  });

  it('may have no field we do not know', () => {
    const read = readDevice('stm32f446re.yaml', `${text}colour: green\n`);
    expect('faults' in read && read.faults.map((f) => f.path)).toEqual(['/colour']);
  });
});
