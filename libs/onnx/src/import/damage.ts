/** Where the bytes of a model stop making sense: for the message about a file that does not decode. */

interface Field {
  readonly number: number;
  readonly wire: number;
  /** of the content */
  readonly start: number;
  readonly end: number;
}

/** What the entries of ModelProto.graph are called, and where their names stand. */
const ENTRIES: ReadonlyMap<number, { readonly what: string; readonly names: readonly number[] }> = new Map([
  [1, { what: 'node', names: [3, 2] }], [5, { what: 'stored tensor', names: [8] }], [11, { what: 'input', names: [1] }], [12, { what: 'output', names: [1] }], [13, { what: 'value', names: [1] }],
]);
const GRAPH = 7;
const LENGTH_DELIMITED = 2;

/** The place where a model ends too early or is no protocol buffer at all, in words; null if its outer structure is whole. */
export function placeOfDamage(bytes: Uint8Array): string | null {
  const scan = fieldsOf(bytes, 0, bytes.length);
  if (scan.broken === null) {
    for (const graph of scan.whole.filter((f) => f.number === GRAPH && f.wire === LENGTH_DELIMITED)) {
      const place = inGraph(bytes, graph);
      if (place !== null) return place;
    }
    return null;
  }
  const { broken } = scan;
  if (broken.number === GRAPH && broken.wire === LENGTH_DELIMITED) return inGraph(bytes, broken) ?? ends(bytes, broken, 'inside the graph, behind its last whole entry');
  return broken.wire === -1 ? `byte ${broken.start} begins no field of a model` : ends(bytes, broken, `inside field ${broken.number} of the model`);
}

const ends = (bytes: Uint8Array, field: Field, where: string): string => `the file ends at byte ${bytes.length} of at least ${field.end}, ${where}`;

function inGraph(bytes: Uint8Array, graph: Field): string | null {
  const { whole, broken } = fieldsOf(bytes, graph.start, Math.min(graph.end, bytes.length));
  if (broken === null) return null;
  const entry = ENTRIES.get(broken.number);
  if (broken.wire !== LENGTH_DELIMITED || entry === undefined) return `byte ${broken.start} begins no field of a graph`;
  const count = whole.filter((f) => f.number === broken.number).length + 1;
  const name = nameIn(bytes, broken, entry.names);
  return ends(bytes, graph.end > bytes.length ? graph : broken, `inside ${entry.what} ${count}${name === null ? '' : ` ("${name}")`}`);
}

function nameIn(bytes: Uint8Array, entry: Field, numbers: readonly number[]): string | null {
  const { whole } = fieldsOf(bytes, entry.start, Math.min(entry.end, bytes.length));
  for (const number of numbers) {
    const field = whole.find((f) => f.number === number && f.wire === LENGTH_DELIMITED);
    if (field !== undefined) return new TextDecoder().decode(bytes.subarray(field.start, Math.min(field.end, field.start + 100)));
  }
  return null;
}

/** Fields one after another; `broken` is the first that reaches beyond the end or has no known form (wire −1). */
function fieldsOf(bytes: Uint8Array, from: number, to: number): { whole: Field[]; broken: Field | null } {
  const whole: Field[] = [];
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64 && at < to; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return NaN;
  };
  while (at < to) {
    const begin = at;
    const key = varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    if (!(number >= 1 && number < 2 ** 29) || ![0, 1, LENGTH_DELIMITED, 5].includes(wire)) return { whole, broken: { number: 0, wire: -1, start: begin, end: begin } };
    let length = wire === 1 ? 8 : wire === 5 ? 4 : 0;
    if (wire === 0 && Number.isNaN(varint())) return { whole, broken: { number, wire, start: begin, end: to + 1 } };
    if (wire === LENGTH_DELIMITED) length = varint();
    if (Number.isNaN(length)) return { whole, broken: { number, wire, start: at, end: to + 1 } };
    const field = { number, wire, start: at, end: at + length };
    if (field.end > to) return { whole, broken: field };
    whole.push(field);
    at = field.end;
  }
  return { whole, broken: null };
}
