/** Which measurements the fitted models of hw-profiles/ rest on, and the hash that says so. */
import { createHash } from 'node:crypto';
import type { Measured } from './evaluate.js';
import type { Series } from './series.js';

/** Profile → column of the tables of spaces. */
export const COLUMNS: Readonly<Record<string, string>> = {
  'pixel-3': 'pixel3', 'raspberry-pi-4': 'raspi4', eyeriss: 'eyeriss', 'fpga-zc706': 'fpga',
  'xeon-gold-6240': 'gold_6240', 'xeon-silver-4114': 'silver_4114', 'xeon-silver-4210r': 'silver_4210r',
  'samsung-a50': 'samsung_a50', 'samsung-s7': 'samsung_s7', 'essential-ph-1': 'essential_ph_1',
  ...Object.fromEntries([['gtx-1080-ti', '1080ti'], ['rtx-2080-ti', '2080ti'], ['titan-x', 'titanx'], ['titan-xp', 'titanxp']].flatMap(([id, card]) => [1, 32, 64, 256].map((b) => [b === 1 ? id : `${id}-batch-${b}`, `${card}_${b}`]))),
};

/** Profile → board and start of the runtime's name. */
export const BOARDS: Readonly<Record<string, readonly [board: string, runtime: string]>> = {
  stm32f446re: ['STM32F446RE', 'TFLM'], stm32f746zg: ['STM32F746ZG', 'TFLM'], stm32f767zi: ['STM32F767ZI', 'TFLM'],
  stm32h743zi: ['STM32H743', 'X-CUBE-AI 7.3'], 'stm32h743zi-tinyengine': ['STM32H743', 'TinyEngine'], 'stm32h743zi-cmsis-nn': ['STM32H743', 'CMSIS-NN'], 'stm32h743zi-tflm-reference': ['STM32H743', 'TFLM'],
  'stm32h747i-disco': ['STM32H747I-DISCO', 'STM32Cube.AI'], stm32l4r5zi: ['NUCLEO-L4R5ZI', 'X-CUBE-AI-8.0'], 'nucleo-l4r5zi-cube-ai-10': ['NUCLEO-L4R5ZI', 'X-CUBE-AI v10.2'],
  'nucleo-u385rg-q': ['NUCLEO-U385RG-Q', 'X-CUBE-AI'], 'ek-ra6m4': ['EK-RA6M4', ''], 'nrf5340-dk': ['nRF5340-DK', 'microTVM'], 'numaker-m467hj': ['NuMaker-M467HJ', 'ONNC'],
  'nucleo-g0b1re': ['NUCLEO-G0B1RE', 'Bosch Hardware-Aware Lowering Engine (HALE) version 1.0.175'], 'disco-f746ng-plumerai': ['DISCO-F746NG', 'Plumerai Inference Engine 2023.05'],
  'disco-f746ng-hale': ['DISCO-F746NG', 'Bosch Hardware-Aware Lowering Engine (HALE) version 1.0.175'], 'rx65n-cloud-kit': ['RX65N-Cloud-Kit', ''],
  'arduino-portenta-h7': ['Arduino Portenta H7', 'TFLM'], 'feather-m4-express': ['Feather M4 Express', 'TFLM'],
  'stm32mp157f-dk2': ['STM32MP157F-DK2', ''], 'stm32mp135f-dk2': ['STM32MP135F-DK2', ''],
};

/** Of a device measured on whole spaces, all series that its model is fitted to. */
export function columnSeries<T extends Pick<Measured, 'series'>>(spaces: readonly T[], column: string): T[] {
  return spaces.filter((m) => m.series.device === column && m.series.quantity === 'latency');
}

/** The series of a board with most networks, the latest of equals; null: not measured. */
export function boardSeries<T extends Pick<Measured, 'series'>>(single: readonly T[], id: string, quantity: Series['quantity']): T | null {
  const [board, runtime] = BOARDS[id]!;
  return single
    .filter((m) => m.series.device === board && m.series.quantity === quantity && m.series.runtimeTitle.startsWith(runtime))
    .reduce<T | null>((best, m) => (best === null || m.series.rows.length >= best.series.rows.length ? m : best), null);
}

/** SHA-256 of sorted lines "network value". */
export function dataHash(series: readonly Pick<Series, 'rows'>[]): string {
  const lines = series.flatMap((s) => s.rows.map((r) => `${r.network.name} ${r.value}`)).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
