/** Row numbers ascending in one column of a flat [n, m] array, stable: merge sort on typed arrays. No NaN. */
export function sortedBy(rows: Float64Array, n: number, m: number, column: number): Int32Array {
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) keys[i] = rows[i * m + column]!;
  return argsort(keys);
}

/** Indexes that put the keys in ascending order, stable. No NaN. */
export function argsort(keys: Float64Array): Int32Array {
  const n = keys.length;
  let from = new Int32Array(n);
  let to = new Int32Array(n);
  for (let i = 0; i < n; i++) from[i] = i;
  const run = 8;
  for (let start = 0; start < n; start += run) {
    const end = Math.min(n, start + run);
    for (let i = start + 1; i < end; i++) {
      const [index, key] = [from[i]!, keys[from[i]!]!];
      let k = i - 1;
      for (; k >= start && keys[from[k]!]! > key; k--) from[k + 1] = from[k]!;
      from[k + 1] = index;
    }
  }
  for (let width = run; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const [middle, end] = [Math.min(n, start + width), Math.min(n, start + 2 * width)];
      let [a, b] = [start, middle];
      for (let k = start; k < end; k++) {
        if (b >= end || (a < middle && keys[from[a]!]! <= keys[from[b]!]!)) to[k] = from[a++]!;
        else to[k] = from[b++]!;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
