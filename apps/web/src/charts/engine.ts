import { LineChart, ParallelChart, ScatterChart } from 'echarts/charts';
import { GraphicComponent, GridComponent, MarkAreaComponent, MarkLineComponent, ParallelComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([LineChart, ParallelChart, ScatterChart, GraphicComponent, GridComponent, MarkAreaComponent, MarkLineComponent, ParallelComponent, TooltipComponent, CanvasRenderer]);

/** The drawing library with the parts in use; imported on demand, so that pages without charts don't load it. */
export { init };
