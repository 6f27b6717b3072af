/** Shape of two operands together (numpy broadcasting), and where each output element reads. Null: they do not fit. */
export function broadcastTo(a: readonly number[], b: readonly number[]): { shape: number[]; count: number; left(i: number): number; right(i: number): number } | null {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const [da, db] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (da !== db && da !== 1 && db !== 1) return null;
    shape.push(da === 1 ? db : da);
  }
  const reader = (own: readonly number[]) => (index: number): number => {
    let rest = index;
    let at = 0;
    let stride = 1;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const here = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      const d = own[axis - rank + own.length] ?? 1;
      if (d !== 1) at += here * stride;
      stride *= d;
    }
    return at;
  };
  return { shape, count: shape.reduce((x, y) => x * y, 1), left: reader(a), right: reader(b) };
}
