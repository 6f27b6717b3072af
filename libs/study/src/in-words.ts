/** A value in a sentence: six digits, and the unit if there is one. */
export const inWords = (value: number, unit: string): string => `${Number(value.toPrecision(6))}${unit === '1' ? '' : ` ${unit}`}`;
