import type { Point, Scalar } from '@app/space';
import { DecodeError } from './decode-error.js';

/** Typed reads of a record whose values come from users; every fault names the entry. */
class Reader {
  protected constructor(protected readonly values: Readonly<Record<string, unknown>>, private readonly prefix: string) {}

  protected get(name: string): unknown {
    return Object.hasOwn(this.values, name) ? this.values[name] : undefined;
  }

  protected numberOf(name: string, value: unknown, min: number, max: number): number {
    if (typeof value !== 'number' || !(value >= min && value <= max)) throw new DecodeError(this.prefix + name, value, `a number from ${min} to ${max}`);
    return value;
  }

  protected integerOf(name: string, value: unknown, min: number, max: number): number {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw new DecodeError(this.prefix + name, value, `an integer from ${min} to ${max}`);
    }
    return value;
  }

  protected choiceOf<T extends Scalar>(name: string, value: unknown, choices: readonly T[]): T {
    const found = choices.find((c) => c === value);
    if (found === undefined) throw new DecodeError(this.prefix + name, value, `one of ${choices.join(', ')}`);
    return found;
  }

  protected refuseOthers(known: readonly string[]): void {
    for (const name of Object.keys(this.values)) {
      if (!known.includes(name)) throw new DecodeError(this.prefix + name, this.values[name], `no such entry; known are ${known.join(', ') || 'none'}`);
    }
  }
}

/** Values of a point; each must be there. */
export class PointReader extends Reader {
  /** @throws DecodeError if the point has a parameter the family doesn't know */
  constructor(point: Point, known: readonly string[]) {
    super(point, '');
    this.refuseOthers(known);
  }

  number(name: string, min: number, max: number): number {
    return this.numberOf(name, this.get(name), min, max);
  }

  integer(name: string, min: number, max: number): number {
    return this.integerOf(name, this.get(name), min, max);
  }

  choice<T extends Scalar>(name: string, choices: readonly T[]): T {
    return this.choiceOf(name, this.get(name), choices);
  }
}

/** Settings of a space; what is absent has the given default. */
export class SettingsReader extends Reader {
  /** @throws DecodeError if there is a setting the family doesn't know */
  constructor(settings: Readonly<Record<string, unknown>>, known: readonly string[]) {
    super(settings, 'settings.');
    this.refuseOthers(known);
  }

  number(name: string, min: number, max: number, otherwise: number): number {
    return this.numberOf(name, this.get(name) ?? otherwise, min, max);
  }

  integer(name: string, min: number, max: number, otherwise: number): number {
    return this.integerOf(name, this.get(name) ?? otherwise, min, max);
  }

  choice<T extends Scalar>(name: string, choices: readonly T[], otherwise: T): T {
    return this.choiceOf(name, this.get(name) ?? otherwise, choices);
  }
}
