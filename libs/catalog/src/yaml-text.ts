import { parseDocument } from 'yaml';

/** Texts are read whole into memory; a study of 1,000 start points is far below this. */
export const MAX_TEXT = 4_000_000;
/** Bound on the nodes that aliases may add: a few lines of nested aliases could otherwise stand for billions of values. */
const MAX_ALIAS_COUNT = 100;
const MAX_DEPTH = 64;

export type YamlResult = { readonly value: unknown } | { readonly faults: readonly string[] };

/**
 * Value of a YAML 1.2 or JSON text. Faults carry line and column: syntax, tabs as indentation, duplicate keys, several documents,
 * unknown tags, aliases that multiply or contain themselves, nesting deeper than 64, texts above 4 MB.
 */
export function parseYaml(text: string): YamlResult {
  if (text.length > MAX_TEXT) return { faults: [`expected a text of at most ${MAX_TEXT} characters, got ${text.length}`] };
  try {
    const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
    const faults = [...document.errors, ...document.warnings].map((e) => {
      const at = e.linePos?.[0];
      const what = e.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
      return at ? `line ${at.line}, column ${at.col}: ${what}` : what;
    });
    if (faults.length > 0) return { faults };
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    const depth = depthOf(value, new Set());
    return depth > MAX_DEPTH ? { faults: [`expected nesting of at most ${MAX_DEPTH}, got ${depth === Infinity ? 'an alias that contains itself' : depth}`] } : { value };
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError) return { faults: [error.message] };
    throw error;
  }
}

function depthOf(value: unknown, above: Set<object>): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (above.has(value)) return Infinity;
  if (above.size > MAX_DEPTH) return above.size;
  above.add(value);
  let depth = 0;
  for (const child of Object.values(value)) depth = Math.max(depth, depthOf(child, above));
  above.delete(value);
  return depth + 1;
}
