/** Share of the known hypervolume against evaluations, a line a solver, as SVG text. */
import { LineChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';

echarts.use([LineChart, GridComponent, TitleComponent, LabelLayout, SVGRenderer]);

export interface Line {
  readonly name: string;
  readonly own: boolean;
  /** [evaluations, share] */
  readonly points: readonly (readonly [number, number])[];
}

// Ours in the hues that survive colour blindness with 3:1 on white, solid; peers in greys, told apart by dashes, symbols and their names.
const OWN = ['#D55E00', '#0072B2', '#000000', '#0072B2', '#D55E00'];
const PEERS = ['#595959', '#949494'];
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect', 'emptyTriangle', 'emptyDiamond'];
const DASHES: (number[] | 'solid')[] = [[6, 3], [2, 3], [9, 3, 2, 3], [4, 2]];

export function plotLines(title: string, lines: readonly Line[]): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 860, height: 460 });
  let [own, peers] = [0, 0];
  const series = lines.map((line) => {
    const k = line.own ? own++ : peers++;
    const color = line.own ? OWN[k % OWN.length]! : PEERS[k % PEERS.length]!;
    return {
      type: 'line' as const,
      name: line.name,
      data: line.points.map((p) => [...p]),
      symbol: SYMBOLS[(line.own ? k : k + 1) % SYMBOLS.length]!,
      symbolSize: 6,
      animation: false,
      color,
      lineStyle: { width: line.own ? 2.5 : 1.5, type: line.own && k < 3 ? ('solid' as const) : DASHES[k % DASHES.length]!, color },
      endLabel: { show: true, formatter: '{a}', color, fontSize: 11, distance: 6 },
      labelLayout: { moveOverlap: 'shiftY' as const },
    };
  });
  chart.setOption({
    backgroundColor: '#FFFFFF',
    title: { text: title, left: 8, top: 6, textStyle: { fontSize: 13, fontWeight: 'normal', color: '#000000' } },
    grid: { left: 56, right: 150, top: 40, bottom: 46 },
    xAxis: { type: 'log', logBase: 10, min: 10, max: 1000, name: 'evaluations', nameLocation: 'middle', nameGap: 28, axisLabel: { color: '#595959' }, nameTextStyle: { color: '#000000' } },
    yAxis: { type: 'value', min: 0, max: 1, name: 'share of the known hypervolume', nameLocation: 'middle', nameGap: 40, axisLabel: { color: '#595959' }, nameTextStyle: { color: '#000000' } },
    series,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  // Numbers of instances, which depend on what was drawn before.
  return `${svg.replace(/zr\d+-/g, 'zr0-')}\n`;
}
