import { graphBuilder, type Graph } from '@app/graph';

const LAYERS = [1, 4, 4, 4, 4, 4, 1];
const CHANNELS = [16, 24, 32, 64, 112, 184, 352];
const STRIDES = [1, 1, 2, 2, 1, 2, 1];
/** kernel, expansion, groups by digit; 8 skips */
const BLOCKS = [[3, 1, 1], [3, 1, 2], [3, 3, 1], [3, 6, 1], [5, 1, 1], [5, 1, 2], [5, 3, 1], [5, 6, 1]] as const;

/** FBNet (Wu et al., CVPR 2019) for CIFAR-100 as HW-NAS-Bench and HELP measure it: 22 searched blocks, one digit each. */
export function fbnetGraph(code: string): Graph {
  if (!/^[0-8]{22}$/.test(code)) throw new Error(`FBNet code: expected 22 digits 0 … 8, got "${code}"`);
  const b = graphBuilder(`fbnet ${code}`);
  const conv = (x: string, outChannels: number, kernel: number, stride: number, groups: number, relu: boolean): string => {
    const y = b.batchNorm(b.conv2d(x, { outChannels, kernel, stride, groups }));
    return relu ? b.activation(y, 'relu') : y;
  };
  let x = conv(b.input([1, 3, 32, 32]), 16, 3, 1, 1, true);
  let [channels, side, at] = [16, 32, 0];
  LAYERS.forEach((count, stage) => {
    for (let i = 0; i < count; i++) {
      const out = CHANNELS[stage]!;
      const stride = i === 0 ? STRIDES[stage]! : 1;
      const digit = Number(code[at++]);
      if (digit === 8) {
        if (stride !== 1 || out !== channels) x = conv(x, out, 1, stride, 1, true);
      } else {
        const [kernel, expansion, groups] = BLOCKS[digit]!;
        const mid = channels * expansion;
        let y = conv(x, mid, 1, 1, groups, true);
        if (groups > 1) y = b.reshape(b.transpose(b.reshape(y, [1, groups, mid / groups, side, side]), [0, 2, 1, 3, 4]), [1, mid, side, side]);
        y = conv(conv(y, mid, kernel, stride, mid, true), out, 1, 1, groups, false);
        x = stride === 1 && out === channels ? b.add(y, x) : y;
      }
      channels = out;
      side = Math.ceil(side / stride);
    }
  });
  x = conv(x, 1504, 1, 1, 1, true);
  b.output(b.linear(b.flatten(b.globalAvgPool(x)), 100));
  return b.build();
}
