import { metricKey } from '@app/contracts';
import type { DeviceProfile } from '@app/cost';
import { EvaluatorError, inTurn, studyTerms, type AccuracyEvaluator, type StudyDefinition } from '@app/study';
import { accuracyEvaluator } from '@app/train';
import { measurerOf } from './measurer.js';

/**
 * All a study asks of a candidate: its accuracy by `accuracy.method`, and the metrics of devices that are measured.
 *
 * @throws EvaluatorError `commands-not-allowed` for a command or an agent that the study itself names, unless `allowCommands`; as
 *   `accuracyEvaluator`
 */
export function studyEvaluator(definition: StudyDefinition, options: { readonly allowCommands?: boolean | undefined } = {}): AccuracyEvaluator {
  const measured = measuredDevices(definition);
  const own = options.allowCommands === true ? [] : ownAgents(definition.spec);
  if (own.length > 0) {
    throw new EvaluatorError('commands-not-allowed', `${own.join(', ')}: an agent is started, or called, from this machine; start the API and the workers with CADDIS_ALLOW_COMMANDS=1 to allow it`);
  }
  const accuracy = accuracyEvaluator(definition, options);
  return measured.length === 0 ? accuracy : inTurn([accuracy, ...measured.map((d) => measurerOf(d))]);
}

/** Devices that are measured for a study: listed ones, and targets of a metric that is measured there. */
function measuredDevices({ spec, devices }: StudyDefinition): DeviceProfile[] {
  const { objectives, constraints } = studyTerms(spec);
  const keys = new Set([...objectives, ...constraints].map((t) => t.key));
  return devices.filter((d) => d.measure?.metrics.some((name) => keys.has(metricKey(name, d.id))) === true || (d.measure !== undefined && spec.devices.some((listed) => listed.id === d.id)));
}

/** JSON pointers of agents that the study names itself; those of profiles are the service's own. */
export function ownAgents(spec: StudyDefinition['spec']): string[] {
  return spec.devices.flatMap((d, i) => (d.measure !== undefined && d.measure.agent !== 'host' ? [`/devices/${i}/measure/agent`] : []));
}
