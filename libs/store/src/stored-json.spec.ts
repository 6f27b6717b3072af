import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asStored, storedJson, storedText } from './stored-json.js';

/** Text as Postgres can hold it, by the definition of well-formed UTF-16 and character by character. */
const plain = (text: string): string => [...text].map((c) => (c === '\0' || (c.length === 1 && c >= '\ud800' && c <= '\udfff') ? '\ufffd' : c)).join('');

it('replaces NUL and lone surrogates, and nothing else', () => {
  fc.assert(fc.property(fc.string({ unit: fc.oneof(fc.constantFrom('\0', '\\', 'u', '0', 'd', '"', '\ud800', '\udfff', '🐛', '\u001f'), fc.string({ unit: 'binary', maxLength: 2 })) }), (text) => {
    expect(storedText(text)).toBe(plain(text));
  }));
});

it('keeps every other value, keys in their order', () => {
  fc.assert(fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
    expect(storedJson(value)).toBe(JSON.stringify(value));
  }));
});

it('turns what is no number into null', () => {
  expect(asStored([NaN, Infinity, -Infinity, 5e-324])).toEqual([null, null, null, 5e-324]);
});
