import type { Program, Shape } from '@app/graph';
import { outputNames, programToOnnx } from '@app/onnx';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';

/** A program in onnxruntime, ready to run any number of times. */
export interface ProgramSession {
  /**
   * @param feeds  one array for each input of the program
   * @returns outputs by role; arrays of their own
   * @throws Error of onnxruntime
   */
  run(feeds: Readonly<Record<string, Float32Array>>): Promise<Readonly<Record<string, Float32Array>>>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** default 1 */
  readonly threads?: number;
  /** beginning of the path of onnxruntime's profile, written at the end */
  readonly profileTo?: string;
}

/**
 * Opens a session. Threads don't spin (on cores that others use, spinning doubles the time of a step); no memory pattern, which
 * would hold nearly twice the memory; no optimiser, which takes longer than the rest of opening and gains nothing where weights are
 * inputs.
 */
export async function openProgram(program: Program, { threads = 1, profileTo }: SessionOptions = {}): Promise<ProgramSession> {
  const { InferenceSession, Tensor } = (await import('onnxruntime-node')).default;
  const session: InferenceSession = await InferenceSession.create(programToOnnx(program), {
    intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3, enableMemPattern: false, graphOptimizationLevel: 'disabled',
    ...(profileTo === undefined ? {} : { enableProfiling: true, profileFilePrefix: profileTo }),
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const shapes = new Map<string, Shape>(program.inputs.map((v) => [v.name, v.shape]));
  const names = outputNames(program);
  return {
    run: async (feeds) => {
      const tensors: Record<string, OrtTensor> = {};
      for (const [name, shape] of shapes) {
        const value = feeds[name];
        if (value === undefined) throw new RangeError(`expected a value for input "${name}", got none`);
        tensors[name] = new Tensor('float32', value, shape);
      }
      const results = await session.run(tensors);
      return Object.fromEntries(Object.entries(names).map(([role, name]) => [role, results[name]!.data as Float32Array]));
    },
    close: async () => {
      if (profileTo !== undefined) session.endProfiling();
      await session.release();
    },
  };
}
