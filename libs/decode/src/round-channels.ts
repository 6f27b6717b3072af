/**
 * Width · channels to a multiple of 8: max(8, ⌊(v + 4) / 8⌋ · 8), plus 8 if that is under 0.9 v.
 *
 * @param width     multiplier, > 0
 * @param channels  base number, > 0
 *
 * The rule of the MobileNet family; it reproduces the parameter counts of the FlyNet thesis (ch. 8, Tables 8.2–8.5). The product is
 * rounded to 1e-9 first, so that a width such as 0.30000000000000004 gives the same network as 0.3.
 */
export function roundChannels(width: number, channels: number): number {
  const v = Math.round(width * channels * 1e9) / 1e9;
  const n = Math.max(8, Math.floor((v + 4) / 8) * 8);
  return n < 0.9 * v ? n + 8 : n;
}
