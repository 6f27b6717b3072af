import { decode, pointFromFbnetCode } from '@app/decode';
import type { Graph } from '@app/graph';

/** FBNet for CIFAR-100 as HW-NAS-Bench and HELP measure it, by its code of 22 digits. */
export function fbnetGraph(code: string): Graph {
  return { ...decode({ family: 'fbnet', settings: { skeleton: 'cifar' } }, pointFromFbnetCode(code), { numClasses: 100, inputChannels: 3 }), name: `fbnet ${code}` };
}
