import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachment } from './attachment.js';

describe('attachment', () => {
  it('keeps a plain name as it is', () => {
    expect(attachment('network-7.onnx')).toBe('attachment; filename="network-7.onnx"');
  });

  it('can\'t be broken out of, and is a header Node accepts, whatever the name', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => {
      const header = attachment(name);
      expect(header).toMatch(/^attachment; filename="[A-Za-z0-9._ -]*"(; filename\*=UTF-8''[A-Za-z0-9.%_~!-]*)?$/);
    }));
  });

  it('survives half a surrogate pair', () => {
    expect(attachment('a\ud800b')).toContain("UTF-8''a%EF%BF%BDb");
  });
});
