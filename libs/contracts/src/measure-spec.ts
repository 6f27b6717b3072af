import { z } from 'zod';

/** What a device can tell by running a network; METRICS has their units. */
export const MEASURABLE = ['latency', 'energy', 'peakRam'] as const;

/** Who runs the network: this machine, a program that reaches the device, or an address that does. */
export const agentSchema = z.union([
  z.strictObject({ command: z.array(z.string().min(1)).min(1).describe('program and arguments; one JSON object a line each way') }),
  z.strictObject({ url: z.url({ protocol: /^https?$/, error: 'expected an address that begins with http:// or https://' }).describe('answers a POST of the same JSON object') }),
  z.literal('host').describe('the machine that evaluates the trial, in onnxruntime-node'),
]);
export type AgentSpec = z.output<typeof agentSchema>;

/** How metrics of a device are measured instead of predicted. */
export const measureSchema = z.strictObject({
  agent: agentSchema.default('host'),
  metrics: z.array(z.enum(MEASURABLE)).min(1).default(['latency']).describe('measured ones; the profile prices the others'),
  warmup: z.int().min(0).max(10_000).default(10).describe('runs before those that count'),
  repeats: z.int().min(5).max(10_000).default(50).describe('runs that count, at least'),
  threads: z.int().min(1).max(256).default(1).describe('agent "host": threads an operator may use'),
  timeout: z.number().min(1).max(3600).default(120).describe('s one measurement may take'),
}).superRefine((measure, ctx) => {
  const other = measure.agent === 'host' ? measure.metrics.findIndex((m) => m !== 'latency') : -1;
  if (other >= 0) ctx.addIssue({ code: 'custom', path: ['metrics', other], message: `agent "host" measures latency only; got "${measure.metrics[other]}"` });
});
export type MeasureSpec = z.output<typeof measureSchema>;
