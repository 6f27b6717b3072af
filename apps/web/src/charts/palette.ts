/** What a trial is in every chart, table and legend. */
export const POINT_CLASSES = ['front', 'dominated', 'infeasible', 'open', 'failed'] as const;
export type PointClass = (typeof POINT_CLASSES)[number];

export const CLASS_LABEL: Readonly<Record<PointClass, string>> = {
  front: 'on the front', dominated: 'feasible, dominated', infeasible: 'infeasible', open: 'running or pending', failed: 'failed or cancelled',
};

export interface Palette {
  readonly mark: Readonly<Record<PointClass, string>>;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly axis: string;
  readonly surface: string;
  readonly accent: string;
  readonly limit: string;
  readonly limitZone: string;
  readonly dark: boolean;
}

/** State colours keep a CIEDE2000 distance of 20 or more from each other for normal sight and three dichromacies, and 3:1 on their ground. */
export const LIGHT: Palette = {
  mark: { front: '#D55E00', dominated: '#0072B2', infeasible: '#949494', open: '#595959', failed: '#000000' },
  ink: '#1b2126', muted: '#57616a', grid: '#e6e9eb', axis: '#a9b1b7', surface: '#ffffff', accent: '#0b5a7d', limit: '#6d3a9c', limitZone: 'rgba(109, 58, 156, 0.06)', dark: false,
};

export const DARK: Palette = {
  mark: { front: '#E69F00', dominated: '#56B4E9', infeasible: '#949494', open: '#0072B2', failed: '#FFFFFF' },
  ink: '#e7eaec', muted: '#a3adb5', grid: '#262c31', axis: '#59636b', surface: '#13171a', accent: '#7cc4e8', limit: '#c9a2ee', limitZone: 'rgba(201, 162, 238, 0.08)', dark: true,
};

/** cividis, nine anchors (Nuñez, Anderton & Renslow 2018): even in lightness, the same order to colour-blind eyes */
const CIVIDIS: readonly (readonly [number, number, number])[] = [
  [0, 34, 78], [28, 51, 109], [62, 72, 108], [88, 92, 110], [114, 113, 120], [142, 136, 120], [172, 160, 111], [205, 187, 95], [253, 234, 69],
];

/** Colour of t in [0, 1], dark to bright; out of range is clamped. */
export function cividis(t: number): string {
  const x = Math.min(1, Math.max(0, Number.isFinite(t) ? t : 0)) * (CIVIDIS.length - 1);
  const i = Math.min(CIVIDIS.length - 2, Math.floor(x));
  const f = x - i;
  const [a, b] = [CIVIDIS[i]!, CIVIDIS[i + 1]!];
  return `rgb(${a.map((c, k) => Math.round(c + (b[k]! - c) * f)).join(', ')})`;
}

/** Black or white, whichever is easier to read on cividis(t). */
export const inkOnCividis = (t: number): string => (t > 0.52 ? '#111111' : '#ffffff');
