/** Bytes alive while each layer runs, as the outline of bars: the shape that decides whether a network fits. */
export interface MemoryStrip {
  /** SVG path of the filled outline */
  readonly area: string;
  readonly peak: { readonly index: number; readonly bytes: number; readonly x: number; readonly y: number };
  /** y of the device's RAM; null if unknown or far above the picture */
  readonly limitY: number | null;
  readonly barWidth: number;
}

/**
 * @param live   bytes while layer i runs, in order of execution
 * @param limit  bytes the device has, if it is known
 * @returns null for a network without layers
 */
export function memoryStrip(live: readonly number[], limit: number | null, width: number, height: number): MemoryStrip | null {
  if (live.length === 0) return null;
  const peak = live.reduce((best, bytes, i) => (bytes > live[best]! ? i : best), 0);
  const most = live[peak]!;
  const top = limit !== null && limit <= most * 3 ? Math.max(most, limit) : most;
  const scale = top > 0 ? (height - 8) / top : 0;
  const barWidth = width / live.length;
  const y = (bytes: number): number => round(height - bytes * scale);
  const steps = live.map((bytes, i) => `L${round(i * barWidth)} ${y(bytes)}L${round((i + 1) * barWidth)} ${y(bytes)}`).join('');
  return {
    area: `M0 ${height}${steps}L${width} ${height}Z`, barWidth,
    peak: { index: peak, bytes: most, x: round((peak + 0.5) * barWidth), y: y(most) },
    limitY: limit !== null && limit <= top && limit > 0 ? y(limit) : null,
  };
}

const round = (x: number): number => Math.round(x * 10) / 10;
