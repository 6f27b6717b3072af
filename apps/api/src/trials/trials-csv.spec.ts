import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine } from './trials-csv.js';

/** RFC 4180 read by the book: quotes, doubled quotes, CRLF. */
function readLine(text: string): string[] {
  const cells: string[] = [];
  let i = 0;
  for (;;) {
    let cell = '';
    if (text[i] === '"') {
      for (i++; ; i++) {
        if (text[i] === '"' && text[i + 1] === '"') i++;
        else if (text[i] === '"') break;
        cell += text[i];
      }
      i++;
    } else {
      for (; text[i] !== ',' && text[i] !== '\r'; i++) cell += text[i];
    }
    cells.push(cell);
    if (text[i] === '\r') return cells;
    i++;
  }
}

describe('csvLine', () => {
  it('is read back as it was written, whatever the cells hold', () => {
    const cell = fc.oneof(fc.string({ unit: fc.constantFrom('a', '"', ',', '\r', '\n', ' ', 'ü', ';') }), fc.double({ noNaN: true }), fc.boolean());
    fc.assert(fc.property(fc.array(cell, { minLength: 1, maxLength: 6 }), (cells) => {
      const text = csvLine(cells);
      expect(text.endsWith('\r\n')).toBe(true);
      expect(readLine(text)).toEqual(cells.map(String));
    }));
  });

  it('leaves what is missing empty', () => {
    expect(csvLine([null, undefined, 0, false, ''])).toBe(',,0,false,\r\n');
  });
});
