import { LineCounter, parseDocument, stringify } from 'yaml';

export const toYaml = (value: unknown): string => stringify(value, { lineWidth: 100, flowCollectionPadding: false });

export type Parsed = { readonly value: unknown; readonly error: null } | { readonly value: null; readonly error: string };

/** YAML or JSON text as a value; an error says line and column. */
export function fromYaml(text: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fault = document.errors[0];
  if (fault) {
    const { line, col } = lines.linePos(fault.pos[0]);
    return { value: null, error: `line ${line}, column ${col}: ${fault.message}` };
  }
  const value: unknown = document.toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value: null, error: 'expected a mapping with name, searchSpace, objectives, budget; see an example' };
  return { value, error: null };
}

/** Line on which the value at a JSON pointer starts; null if the text has no such place. */
export function lineOfPointer(text: string, pointer: string): number | null {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const path = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  for (let depth = path.length; depth > 0; depth--) {
    const node: unknown = document.getIn(path.slice(0, depth).map((p) => (/^\d+$/.test(p) ? Number(p) : p)), true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? (node.range as readonly number[] | null | undefined) : undefined;
    if (range) return lines.linePos(range[0]!).line;
  }
  return null;
}
