import { basename } from 'node:path';
import type { Command } from 'commander';
import { loadCatalog, readDevice, readSpace } from '@app/catalog';
import { createSearchSpace } from '@app/space';
import { parameterView } from '@app/study';
import { inputError, InputError, print, printJson, quantity, table, wantsJson } from '../output.js';
import { readText } from '../read-file.js';

export function spacesCommand(program: Command): void {
  const spaces = program.command('spaces').description('list, show and validate search spaces').action((_: unknown, command: Command) => {
    const all = loadCatalog().spaces();
    const size = (s: (typeof all)[number]): number => createSearchSpace(s.parameters).cardinality;
    if (wantsJson(command)) printJson(all.map((s) => ({ name: s.name, title: s.title, family: s.family, parameters: s.parameters.length, cardinality: finite(size(s)) })));
    else print(table(['space', 'parameters', 'points', 'title'], all.map((s) => [s.name, String(s.parameters.length), Number.isFinite(size(s)) ? Number(size(s).toPrecision(4)).toLocaleString('en') : 'continuous', s.title])));
  });
  spaces.command('show <name>').description('parameters and sources of a space').action((name: string, _: unknown, command: Command) => {
    const catalog = loadCatalog();
    if (!catalog.spaces().some((s) => s.name === name)) throw new InputError(`spaces show: no space "${name}"; there are ${catalog.spaces().map((s) => s.name).join(', ')}`);
    const space = catalog.space(name);
    if (wantsJson(command)) {
      printJson({ ...space, cardinality: finite(createSearchSpace(space.parameters).cardinality) });
      return;
    }
    print(`${space.title}\n\n${space.description}\n`);
    print(table(['parameter', 'type', 'values', 'description'], space.parameters.map((p) => {
      const v = parameterView(p);
      return [p.name, p.type, v.values ? v.values.join(', ') : `${v.min} … ${v.max}${v.step === null ? '' : `, step ${v.step}`}${v.scale === 'log' ? ', log' : ''}`, v.description ?? ''];
    })));
    print(`\nsources:\n${space.sources.map((s) => `  ${s}`).join('\n')}`);
  });
  spaces.command('validate <file>').description('check a search-space file').action((file: string, _: unknown, command: Command) => {
    const loaded = readSpace(basename(file), readText(file));
    if ('faults' in loaded) throw inputError(file, loaded.faults.map((f) => ({ pointer: f.path, message: f.message })));
    if (wantsJson(command)) printJson({ file, valid: true, name: loaded.space.name });
    else print(`${file}: valid, ${loaded.space.parameters.length} parameters`);
  });
}

export function devicesCommand(program: Command): void {
  const devices = program.command('devices').description('list, show and validate hardware profiles').action((_: unknown, command: Command) => {
    const all = loadCatalog().devices();
    if (wantsJson(command)) printJson(all.map((d) => ({ id: d.id, title: d.title, class: d.class, precisions: Object.keys(d.precisions), ram: d.memory.ram, flash: d.memory.flash })));
    else print(table(['device', 'class', 'precisions', 'RAM', 'flash', 'title'], all.map((d) => [d.id, d.class, Object.keys(d.precisions).join(' '), quantity(d.memory.ram.value, 'B'), d.memory.flash ? quantity(d.memory.flash.value, 'B') : '—', d.title])));
  });
  devices.command('show <id>').description('every figure of a profile with unit and source').action((id: string, _: unknown, command: Command) => {
    const all = loadCatalog().devices();
    const device = all.find((d) => d.id === id);
    if (!device) throw new InputError(`devices show: no device "${id}"; there are ${all.map((d) => d.id).join(', ')}`);
    if (wantsJson(command)) printJson(device);
    else print(`${device.title} (${device.class})\n${device.description ?? ''}\n\n${table(['figure', 'value', 'unit', 'source'], figures(device))}`);
  });
  devices.command('validate <file>').description('check a hardware profile').action((file: string, _: unknown, command: Command) => {
    const loaded = readDevice(basename(file), readText(file));
    if ('faults' in loaded) throw inputError(file, loaded.faults.map((f) => ({ pointer: f.path, message: f.message })));
    if (wantsJson(command)) printJson({ file, valid: true, id: loaded.device.id });
    else print(`${file}: valid`);
  });
}

const finite = (n: number): number | null => (Number.isFinite(n) ? n : null);

/** Every {value, unit, source} of a profile with its path. */
function figures(value: unknown, path = ''): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  if ('value' in value && 'unit' in value && 'source' in value) return [[path, Number(value.value).toPrecision(4).replace(/\.?0+($|e)/, '$1'), String(value.unit), String(value.source)]];
  return Object.entries(value).flatMap(([key, v]) => figures(v, path ? `${path}.${key}` : key));
}
