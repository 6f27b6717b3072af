import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandAccuracy, Metrics } from '@app/contracts';
import { EvaluatorError, type AccuracyEvaluator } from '@app/study';
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
    evaluate: ({ graph, point, fidelity = 1, signal, onProgress, onWeights }) => {
      const forms = networkForms(graph, send, seed);
      const wanted = graph !== null && onWeights !== undefined;
      const ask = (more: object): Promise<Metrics> => runner.ask(++asked, { parameters: point, fidelity, ...more, ...(checkpoints !== undefined && { checkpoint: checkpointFolder(checkpoints, point, seed) }) }, signal, onProgress);
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

/** @throws EvaluatorError `commands-not-allowed`, saying how to allow it */
export function refuseCommand(method: 'command' | 'http'): never {
  const does = method === 'command' ? 'runs a program on this machine' : 'calls an address from this machine';
  throw new EvaluatorError('commands-not-allowed', `accuracy.method "${method}" ${does}; start the API and the workers with CADDIS_ALLOW_COMMANDS=1 to allow it`);
}
