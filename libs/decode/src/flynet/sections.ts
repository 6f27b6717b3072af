/**
 * A FlyNet in sections: stem, one a block, head. Blocks repeat within a network and from one network to the next, so each is built once
 * and kept under a number that holds all it depends on. Quantisation noise acts in training only and is left out.
 */
import type { Section, SectionedGraph } from '@app/graph';
import type { DecodeContext } from '../family.js';
import type { PointReader } from '../readers.js';
import { roundChannels } from '../round-channels.js';
import type { CachedSection, SectionCache } from '../section-cache.js';
import { block, head, newNetwork, stem } from './blocks.js';
import { EXCITATIONS, KERNELS, readGenes, REDUCTIONS, STATISTICS, type StageShape, type Style } from './genes.js';
import { blockAt, STAGES, STEM_CHANNELS } from './layout.js';
import { HIGH_RESIDUALS, LOW_RESIDUALS } from './residuals.js';

/** Numbers of the blocks that differ: those of each stage and its last repeated; then stem and head. */
const FIRST_OF_STAGE = STAGES.map((_, s) => STAGES.slice(0, s).reduce((sum, blocks) => sum + blocks.length + 1, 0));
const STEM = STAGES.reduce((sum, blocks) => sum + blocks.length + 1, 0);
const HEAD = STEM + 1;
const NONE = HEAD + 1;

export function flynetSections(point: PointReader, { task, settings }: DecodeContext, cache: SectionCache): SectionedGraph {
  const { style, resolution, stages } = readGenes(point, settings);
  const width = cache.numberOf(style.width);
  const common = styleNumber(style);
  const sections: Section[] = [];
  const keep = ({ section, side }: CachedSection): number => {
    sections.push(section);
    return side;
  };
  let key = keyOf(STEM, 0, width, resolution, 0, 0, 0);
  let side = keep(cache.get(key) ?? cache.add(key, buildStem(style, task.inputChannels, resolution)));
  let previous = NONE;
  for (let s = 0; s < stages.length; s++) {
    const shape = stages[s]!;
    for (let i = 0; i < shape.depth; i++) {
      const own = FIRST_OF_STAGE[s]! + Math.min(i, STAGES[s]!.length);
      key = keyOf(own, common, width, side, shape.heads - 1, KERNELS.indexOf(shape.kernel), readsPrevious(style, s, i) ? previous : NONE);
      side = keep(cache.get(key) ?? cache.add(key, buildBlock(style, shape, s, i, stages, side)));
      previous = own;
    }
  }
  key = keyOf(HEAD, style.high === 'none' ? 0 : 1, width, side, 0, 0, 0);
  keep(cache.get(key) ?? cache.add(key, buildHead(style, task.numClasses, side)));
  return { name: 'flynet', sections };
}

function styleNumber({ reduction, statistics, excitation, low, high }: Style): number {
  const binary = 2 * STATISTICS.indexOf(statistics) + EXCITATIONS.indexOf(excitation);
  return ((REDUCTIONS.indexOf(reduction) * 4 + binary) * LOW_RESIDUALS.length + LOW_RESIDUALS.indexOf(low)) * HIGH_RESIDUALS.length + HIGH_RESIDUALS.indexOf(high);
}

/** 46 bits: section 5, style 8, width 10, side 12, heads 4, kernel 2, block before 5. */
function keyOf(section: number, style: number, width: number, side: number, heads: number, kernel: number, previous: number): number {
  return ((((section * 256 + style) * 1024 + width) * 4096 + side) * 16 + heads) * 128 + kernel * 32 + previous;
}

function readsPrevious({ high }: Style, stage: number, i: number): boolean {
  return (stage > 0 || i > 0) && (high === 'mdw-concat' || (high === 'crop-pad' && blockAt(stage, i).stride === 1));
}

function buildStem(style: Style, channels: number, resolution: number): CachedSection {
  const net = newNetwork('stem');
  const input = net.input(channels, resolution);
  net.begin('stem');
  const x = stem(net, style, input);
  return { section: { graph: net.finish(x), takes: [input.id] }, side: x.height };
}

function buildBlock(style: Style, shape: StageShape, stage: number, i: number, stages: readonly StageShape[], side: number): CachedSection {
  const net = newNetwork(`stage ${stage + 1}, block ${i + 1}`);
  const [beforeStage, before] = i > 0 ? [stage, i - 1] : [stage - 1, (stages[stage - 1]?.depth ?? 0) - 1];
  const isFirst = beforeStage < 0;
  const x = net.input(isFirst ? roundChannels(style.width, STEM_CHANNELS) : roundChannels(style.width, blockAt(beforeStage, before).output), side);
  const previous = readsPrevious(style, stage, i) ? net.input(roundChannels(style.width, blockAt(beforeStage, before).expansion), side, side, 'expanded') : null;
  net.begin('block');
  const { output, expanded } = block(net, style, shape, blockAt(stage, i), x, previous);
  const handsOn = style.high === 'none' ? [output] : [output, expanded];
  return { section: { graph: net.finish(...handsOn), takes: style.high === 'none' || isFirst ? [x.id] : [x.id, previous?.id ?? null] }, side: output.height };
}

function buildHead(style: Style, classes: number, side: number): CachedSection {
  const net = newNetwork('head');
  const x = net.input(roundChannels(style.width, STAGES.at(-1)!.at(-1)!.output), side);
  net.begin('head');
  return { section: { graph: net.finish(head(net, style, x, classes)), takes: style.high === 'none' ? [x.id] : [x.id, null] }, side: 1 };
}
