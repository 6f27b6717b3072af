import { writeSync } from 'node:fs';
import type { Command } from 'commander';

/** The user's input is at fault: exit code 2. The message names the file or option, the field, what came and what was due. */
export class InputError extends Error {}

export interface Issue {
  readonly pointer: string;
  readonly message: string;
}

export function inputError(where: string, issues: readonly Issue[]): InputError {
  return new InputError(issues.map((i) => `${where}${i.pointer ? ` ${i.pointer}` : ''}: ${i.message}`).join('\n'));
}

/** One document on standard output; everything else a command says goes to standard error. */
export function printJson(value: unknown): void {
  writeAll(`${JSON.stringify(value, null, 2)}\n`);
}

export function print(text: string): void {
  writeAll(`${text}\n`);
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Synchronous, so that nothing is cut off when the process ends; a reader that closed the pipe ends it quietly. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
    }
  }
}

/** Columns as wide as they need; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const right = head.map((_, j) => rows.length > 0 && rows.every((r) => /^[-+]?[\d.]/.test(r[j]!) || r[j] === ''));
  const widths = head.map((h, j) => Math.max(h.length, ...rows.map((r) => r[j]!.length)));
  const line = (cells: readonly string[]): string => cells.map((c, j) => (right[j] ? c.padStart(widths[j]!) : c.padEnd(widths[j]!))).join('  ').trimEnd();
  return [line(head), widths.map((w) => '─'.repeat(w)).join('  '), ...rows.map(line)].join('\n');
}

/** Four significant digits and a prefix: 0.00412 s → 4.12 ms. Bytes in KiB and MiB; per cent as they are. */
export function quantity(value: number, unit: string): string {
  if (unit === 'B') {
    const [factor, name] = Math.abs(value) >= 1024 ** 2 ? [1024 ** 2, 'MiB'] : Math.abs(value) >= 1024 ? [1024, 'KiB'] : [1, 'B'];
    return `${Number((value / factor).toPrecision(4))} ${name}`;
  }
  if (unit === 's' || unit === 'J') {
    const steps = [[1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n']] as const;
    const [factor, prefix] = steps.find(([f]) => Math.abs(value) >= f) ?? (value === 0 ? steps[0] : steps[3]);
    return `${Number((value / factor).toPrecision(4))} ${prefix}${unit}`;
  }
  if (unit === '1') {
    const [factor, prefix] = Math.abs(value) >= 1e9 ? [1e9, ' G'] : Math.abs(value) >= 1e6 ? [1e6, ' M'] : [1, ''];
    return `${Number((value / factor).toPrecision(4))}${prefix}`;
  }
  return `${Number(value.toPrecision(4))} ${unit}`;
}

export function seconds(s: number): string {
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  return s < 3600 ? `${Math.floor(s / 60)} min ${Math.round(s % 60)} s` : `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}

/** A bar on a terminal's standard error; a line now and then elsewhere; nothing if `quiet`. */
export class Progress {
  private lastLine = 0;
  private drawn = false;

  constructor(private readonly label: string, private readonly quiet = false) {}

  update(fraction: number, detail: string): void {
    if (this.quiet) return;
    if (process.stderr.isTTY) {
      const width = 28;
      const full = Math.round(Math.min(1, fraction) * width);
      process.stderr.write(`\r\x1b[K${this.label} ${'█'.repeat(full)}${'░'.repeat(width - full)} ${Math.floor(fraction * 100)} %  ${detail}`);
      this.drawn = true;
    } else if (performance.now() - this.lastLine > 5000) {
      this.lastLine = performance.now();
      say(`${this.label} ${Math.floor(fraction * 100)} %  ${detail}`);
    }
  }

  done(): void {
    if (this.drawn) process.stderr.write('\r\x1b[K');
    this.drawn = false;
  }
}

export const wantsJson = (command: Command): boolean => command.optsWithGlobals()['json'] === true;
