import { EvaluatorError, type AccuracyEvaluator } from '@app/study';
import { reportedMetric } from './answer.js';
import { startCommand, type CommandOptions } from './command-process.js';

/** Nothing is known of a user's program; long enough that what can be computed is checked first. */
const SECONDS_PER_TRIAL = 60;

/** Accuracy, or whatever else a user's program reports, as a study asks for it. `metrics` are those every answer must have. */
export function commandEvaluator(options: CommandOptions & { readonly metrics: readonly string[] }): AccuracyEvaluator {
  const runner = startCommand(options);
  const toMetric = reportedMetric(`command ${options.command.join(' ')}`);
  let asked = 0;
  return {
    id: `command/${options.command.join(' ')}`,
    secondsPerTrial: SECONDS_PER_TRIAL,
    metrics: options.metrics,
    evaluate: async ({ point, fidelity, signal }) => {
      const numbers = await runner.evaluate(++asked, point, fidelity ?? 1, signal);
      return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, toMetric(name, value)]));
    },
    close: () => runner.close(),
  };
}

/** @throws EvaluatorError `commands-not-allowed`, saying how to allow it */
export function refuseCommand(): never {
  throw new EvaluatorError('commands-not-allowed', 'accuracy.method "command" runs a program on this machine; start the API and the workers with CADDIS_ALLOW_COMMANDS=1 to allow it');
}
