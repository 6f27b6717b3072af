import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';

/** Texts are read whole into memory; the worst of this length take the parser a few seconds. */
export const MAX_TEXT = 250_000;
/** Bound on the nodes that aliases may add: a few lines of nested aliases could otherwise stand for billions of values. */
const MAX_ALIAS_COUNT = 100;
const MAX_DEPTH = 64;
const MAX_FAULTS = 20;

export type YamlResult = { readonly value: unknown } | { readonly faults: readonly string[] };

/**
 * Value of a YAML 1.2 or JSON text. Faults carry line and column, 20 at most: syntax, tabs as indentation, duplicate keys, keys that
 * are no scalars, several documents, unknown tags, aliases that multiply or contain themselves, nesting deeper than 64, texts above
 * 250,000 characters.
 */
export function parseYaml(text: string): YamlResult {
  if (text.length > MAX_TEXT) return { faults: [`expected a text of at most ${MAX_TEXT} characters, got ${text.length}`] };
  if (openBrackets(text) > MAX_DEPTH) return { faults: [tooDeep] };
  try {
    // The parser's own pretty messages and key check take quadratic time, so both are done here.
    const lines = new LineCounter();
    const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, lineCounter: lines });
    const faults: string[] = [];
    const fault = (at: number | undefined, message: string): void => {
      if (faults.length >= MAX_FAULTS) return;
      const { line, col } = lines.linePos(at ?? 0);
      faults.push(`line ${line}, column ${col}: ${message}`);
    };
    for (const e of [...document.errors, ...document.warnings]) fault(e.pos[0], e.message);
    if (faults.length === 0) checkNode(document.contents, fault, 0);
    if (faults.length > 0) return { faults };
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    return depthOf(value, new Set()) > MAX_DEPTH ? { faults: [tooDeep] } : { value };
  } catch (error) {
    // Unresolved or excessive aliases; recursion that ran out of stack.
    if (error instanceof ReferenceError) return { faults: [error.message] };
    if (error instanceof RangeError) return { faults: [tooDeep] };
    throw error;
  }
}

const tooDeep = `expected nesting of at most ${MAX_DEPTH} levels, got more, or an alias that contains itself`;

/** Most brackets open at once, those in quotes and comments included: a bound from above that costs one pass. */
function openBrackets(text: string): number {
  let open = 0;
  let most = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '[' || c === '{') most = Math.max(most, ++open);
    else if ((c === ']' || c === '}') && open > 0) open--;
  }
  return most;
}

function checkNode(node: unknown, fault: (at: number | undefined, message: string) => void, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(tooDeep);
  if (isSeq(node)) for (const item of node.items) checkNode(item, fault, depth + 1);
  if (!isMap(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    if (isScalar(key) || key === null) {
      const name = String(isScalar(key) ? key.value : null);
      if (seen.has(name)) fault((key as Node | null)?.range?.[0], `key "${name}" stands twice`);
      seen.add(name);
    } else {
      fault((key as Node).range?.[0], `expected a plain key, got ${isAlias(key) ? 'an alias' : 'a collection'}`);
    }
    checkNode(value, fault, depth + 1);
  }
}

/** Levels of a value; infinite if it contains itself. */
function depthOf(value: unknown, above: Set<object>): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (above.has(value) || above.size > MAX_DEPTH) return Infinity;
  above.add(value);
  let depth = 0;
  for (const child of Object.values(value)) depth = Math.max(depth, depthOf(child, above));
  above.delete(value);
  return depth + 1;
}
