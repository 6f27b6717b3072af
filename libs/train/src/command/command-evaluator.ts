import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandAccuracy, Metrics, TrialProgress } from '@app/contracts';
import { EvaluatorError, StoppedEarly, type AccuracyEvaluator } from '@app/study';
import { checked, handedWeights } from '../own-trainer/handed-weights.js';
import { checkpointFolder, networkForms, withNetworkFiles } from '../own-trainer/network-files.js';
import { startCommand } from './command-process.js';

const WEIGHTS = 'weights.safetensors';

/** Nothing is known of a user's program; long enough that what can be computed is checked first. */
const SECONDS_PER_TRIAL = 60;

/**
 * Accuracy, or whatever else a user's program reports, as a study asks for it. `metrics` are those every answer must have. With `send`
 * the question has `network`, the path of a file in each form; with `checkpoints` it has `checkpoint`, a folder that is the candidate's
 * at all fidelities. Where trained weights are kept it has `weights`, the path of a file that the program may write (see `handedWeights`; `.npz` may come after it).
 */
export function commandEvaluator({ command, metrics, send, checkpoints }: Omit<CommandAccuracy, 'method'>, seed: number): AccuracyEvaluator {
  const runner = startCommand({ command, metrics });
  let asked = 0;
  return {
    id: `command/${command.join(' ')}`,
    secondsPerTrial: SECONDS_PER_TRIAL,
    metrics,
    evaluate: ({ graph, point, fidelity = 1, signal, onProgress, onWeights, stopWhen }) => {
      // the question can't be taken back: a program that works on nothing else is replaced
      const end = new AbortController();
      const progress = (so: TrialProgress): void => {
        onProgress?.(so);
        const why = stopWhen?.(so) ?? null;
        if (why !== null) end.abort(new StoppedEarly(why, shareOf(so), partly(so, command)));
      };
      const forms = networkForms(graph, send, seed);
      const wanted = graph !== null && onWeights !== undefined;
      const ask = (more: object): Promise<Metrics> => runner.ask(++asked, { parameters: point, fidelity, ...more, ...(checkpoints !== undefined && { checkpoint: checkpointFolder(checkpoints, point, seed) }) }, AbortSignal.any([signal, end.signal]), progress);
      if (send.length === 0 && !wanted) return ask({});
      return withNetworkFiles(forms, async (network, folder) => {
        const path = join(folder, WEIGHTS);
        const answer = await ask({ ...(send.length > 0 && { network }), ...(wanted && { weights: path }) });
        // NumPy adds its own ending
        const written = [path, `${path}.npz`].find((p) => existsSync(p));
        if (wanted && written !== undefined) onWeights(checked(answer, () => handedWeights(readFileSync(written), graph, answer['accuracy']?.value ?? null)));
        return answer;
      });
    },
    close: () => runner.close(),
  };
}

/** Epochs that a program has told of, of those it means to have. */
const shareOf = ({ epochs, curves }: TrialProgress): number => Math.max(...Object.values(curves).map((c) => c.values.length)) / epochs!;

/** Metrics of an evaluation that was ended: as its program told of last. */
function partly({ epochs, curves }: TrialProgress, command: readonly string[]): Metrics {
  return Object.fromEntries(Object.entries(curves).filter(([, { values }]) => values.length > 0).map(([key, { unit, values }]) => [key, {
    value: values.at(-1)!, unit, provenance: 'reported', source: `command ${command.join(' ')} after ${values.length} of ${epochs} epochs, then ended`, curve: values,
  }]));
}

/** @throws EvaluatorError `commands-not-allowed`, saying how to allow it */
export function refuseCommand(method: 'command' | 'http'): never {
  const does = method === 'command' ? 'runs a program on this machine' : 'calls an address from this machine';
  throw new EvaluatorError('commands-not-allowed', `accuracy.method "${method}" ${does}; start the API and the workers with CADDIS_ALLOW_COMMANDS=1 to allow it`);
}
