import type { NetworkView } from '@app/contracts';

export type CostMetric = 'latency' | 'energy' | 'liveBytes' | 'weightBytes' | 'macs' | 'params';
export type NetworkNode = NetworkView['nodes'][number];
export type LayerCost = NetworkView['devices'][number]['layers'][number];

/** A layer, a folded block, or a run of alike folded blocks. */
export interface Box {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  /** ids of the layers inside, in order of execution */
  readonly layers: readonly string[];
  readonly blocks: readonly string[];
  readonly folded: boolean;
  /** sum over the layers; of live memory, the largest */
  readonly cost: number;
  /** of the network's sum, 0 … 1; of live memory, of its peak */
  readonly share: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** SVG path */
  readonly path: string;
  readonly long: boolean;
}

export interface BlockFrame { readonly block: string; readonly x: number; readonly y: number; readonly width: number; readonly height: number }

export interface NetworkLayout {
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
  readonly frames: readonly BlockFrame[];
  readonly width: number;
  readonly height: number;
}

const LANE = 244;
const LANE_GAP = 18;
const ROW_GAP = 18;
const MARGIN = 30;

export const costOf = (metric: CostMetric, node: NetworkNode, layer: LayerCost | undefined): number => (metric === 'macs' || metric === 'params' ? node[metric] : layer?.[metric] ?? 0);

/** Blocks that have more than one layer and can be folded, in order. */
export function foldableBlocks(nodes: readonly NetworkNode[]): string[] {
  const sizes = new Map<string, number>();
  for (const n of nodes) if (n.block !== null) sizes.set(n.block, (sizes.get(n.block) ?? 0) + 1);
  return [...sizes].filter(([, size]) => size > 1).map(([block]) => block);
}

/**
 * Network as a vertical flow: a row is a longest-path depth, branches stand side by side, a skip runs round the outside.
 * Folded blocks are one box each, and neighbours that are alike and follow one another are one box with a count.
 */
export function layoutNetwork(network: Pick<NetworkView, 'nodes'>, layers: ReadonlyMap<string, LayerCost>, metric: CostMetric, unfolded: ReadonlySet<string>): NetworkLayout {
  const groups = fold(network.nodes, unfolded);
  const groupOf = new Map(groups.flatMap((g, i) => g.nodes.map((n) => [n.id, i] as const)));
  const inputs = groups.map((g, i) => [...new Set(g.nodes.flatMap((n) => n.inputs.map((input) => groupOf.get(input)!)).filter((j) => j !== undefined && j !== i))]);
  const depth: number[] = [];
  groups.forEach((_, i) => depth.push(Math.max(-1, ...inputs[i]!.map((j) => depth[j] ?? -1)) + 1));

  const sums = groups.map((g) => g.nodes.map((n) => costOf(metric, n, layers.get(n.id))).reduce((a, b) => (metric === 'liveBytes' ? Math.max(a, b) : a + b), 0));
  const whole = metric === 'liveBytes' ? Math.max(...sums, 0) : sums.reduce((a, b) => a + b, 0);
  const share = (i: number): number => (whole > 0 ? sums[i]! / whole : 0);

  const rows = placeInRows(depth, inputs);
  const widest = Math.max(1, ...rows.map((r) => r.length));
  const inner = widest * LANE + (widest - 1) * LANE_GAP;
  const boxes: Box[] = [];
  let y = MARGIN / 2;
  for (const row of rows) {
    const heights = row.map((i) => 34 + Math.round(34 * Math.sqrt(metric === 'liveBytes' ? share(i) / 2 : share(i))));
    const left = MARGIN + (inner - (row.length * LANE + (row.length - 1) * LANE_GAP)) / 2;
    row.forEach((i, lane) => boxes.push({ ...describe(groups[i]!), cost: sums[i]!, share: share(i), x: left + lane * (LANE + LANE_GAP), y, width: LANE, height: heights[lane]! }));
    y += Math.max(...heights) + ROW_GAP;
  }
  const byId = new Map(boxes.map((b) => [b.id, b]));
  const boxOf = (i: number): Box => byId.get(groups[i]!.id)!;
  const edges = groups.flatMap((_, i) => inputs[i]!.map((j) => route(boxOf(j), boxOf(i), depth[i]! - depth[j]! > 1, MARGIN + inner)));
  return { boxes, edges, frames: framesOf(boxes, network.nodes), width: inner + 2 * MARGIN, height: y + MARGIN / 2 };
}

interface Group { readonly id: string; readonly nodes: NetworkNode[]; readonly blocks: string[]; readonly folded: boolean }

function fold(nodes: readonly NetworkNode[], unfolded: ReadonlySet<string>): Group[] {
  const foldable = new Set(foldableBlocks(nodes));
  const groups: Group[] = [];
  const byBlock = new Map<string, Group>();
  for (const node of nodes) {
    const block = node.block;
    if (block === null || !foldable.has(block) || unfolded.has(block)) {
      groups.push({ id: node.id, nodes: [node], blocks: block === null ? [] : [block], folded: false });
      continue;
    }
    const known = byBlock.get(block);
    if (known) {
      known.nodes.push(node);
      continue;
    }
    const group: Group = { id: `block:${block}`, nodes: [node], blocks: [block], folded: true };
    byBlock.set(block, group);
    groups.push(group);
  }
  return mergeAlike(groups);
}

/** Same kinds, same shapes, and nothing between them but the way from one to the next. */
function mergeAlike(groups: readonly Group[]): Group[] {
  const merged: Group[] = [];
  for (const group of groups) {
    const last = merged.at(-1);
    const inside = new Set(last?.nodes.map((n) => n.id));
    const own = new Set(group.nodes.map((n) => n.id));
    const chained = last !== undefined && group.nodes.every((n) => n.inputs.every((i) => own.has(i) || inside.has(i)));
    if (last && last.folded && group.folded && chained && signature(group.nodes) === signature(last.nodes.slice(-group.nodes.length))) {
      merged[merged.length - 1] = { ...last, nodes: [...last.nodes, ...group.nodes], blocks: [...last.blocks, ...group.blocks] };
    } else merged.push(group);
  }
  return merged;
}

const signature = (nodes: readonly NetworkNode[]): string => nodes.map((n) => `${n.label}|${n.shape.join('x')}|${n.macs}`).join(';');
export const shapeText = (shape: readonly number[]): string => (shape[0] === 1 ? shape.slice(1) : shape).join('×');

function describe(group: Group): Pick<Box, 'id' | 'title' | 'detail' | 'layers' | 'blocks' | 'folded'> {
  const last = group.nodes.at(-1)!;
  const base = { id: group.id, layers: group.nodes.map((n) => n.id), blocks: group.blocks, folded: group.folded };
  if (!group.folded) return { ...base, title: last.label, detail: shapeText(last.shape) };
  const count = group.blocks.length;
  return { ...base, title: count === 1 ? group.blocks[0]! : spanOf(group.blocks[0]!, group.blocks.at(-1)!), detail: `${count > 1 ? `${count} × ` : ''}${group.nodes.length / count} layers → ${shapeText(last.shape)}` };
}

/** `stage1.block2` to `stage1.block4` as `stage1.block2–4` */
function spanOf(first: string, last: string): string {
  let same = 0;
  while (same < first.length && first[same] === last[same]) same += 1;
  return `${first}–${last.slice(same)}`;
}

/** Groups of each depth, ordered by where their inputs stand, so that branches keep to their side. */
function placeInRows(depth: readonly number[], inputs: readonly (readonly number[])[]): number[][] {
  const rows: number[][] = [];
  depth.forEach((d, i) => (rows[d] ??= []).push(i));
  const position = new Map<number, number>();
  for (const row of rows) {
    const wish = (i: number): number => {
      const known = inputs[i]!.map((j) => position.get(j) ?? 0);
      return known.length === 0 ? 0 : known.reduce((a, b) => a + b, 0) / known.length;
    };
    row.sort((a, b) => wish(a) - wish(b) || a - b);
    row.forEach((i, lane) => position.set(i, lane - (row.length - 1) / 2));
  }
  return rows;
}

function route(from: Box, to: Box, long: boolean, right: number): Edge {
  const [x1, y1, x2, y2] = [from.x + from.width / 2, from.y + from.height, to.x + to.width / 2, to.y];
  if (!long) return { from: from.id, to: to.id, long, path: `M${x1} ${y1}C${x1} ${y1 + ROW_GAP / 2} ${x2} ${y2 - ROW_GAP / 2} ${x2} ${y2}` };
  const side = x2 < right / 2 - 1 ? MARGIN / 2 - 4 : right + 12;
  const [a, b] = side < MARGIN ? [from.x, to.x] : [from.x + from.width, to.x + to.width];
  const [ya, yb] = [from.y + from.height - 10, to.y + 10];
  return { from: from.id, to: to.id, long, path: `M${a} ${ya}C${side} ${ya} ${side} ${ya + 12} ${side} ${ya + 18}L${side} ${yb - 18}C${side} ${yb - 12} ${side} ${yb} ${b} ${yb}` };
}

/** Frames round the layers of each block that is laid open. */
function framesOf(boxes: readonly Box[], nodes: readonly NetworkNode[]): BlockFrame[] {
  const foldable = new Set(foldableBlocks(nodes));
  const members = new Map<string, Box[]>();
  for (const box of boxes) {
    const block = box.blocks[0];
    if (!box.folded && block !== undefined && foldable.has(block)) members.set(block, [...(members.get(block) ?? []), box]);
  }
  return [...members].map(([block, inside]) => {
    const x = Math.min(...inside.map((b) => b.x)) - 10;
    const y = Math.min(...inside.map((b) => b.y)) - 7;
    return { block, x, y, width: Math.max(...inside.map((b) => b.x + b.width)) + 10 - x, height: Math.max(...inside.map((b) => b.y + b.height)) + 7 - y };
  });
}
