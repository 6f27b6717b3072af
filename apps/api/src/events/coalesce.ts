import type { StudyEvent } from '@app/contracts';
import type { StoredEvent } from '@app/study';

type Of<T extends StudyEvent['type']> = Extract<StudyEvent, { type: T }>;

/**
 * Stored events of one reading as few: one `trial.finished` over the whole range, one `front.changed` with the net change, the last
 * `progress`, the trials of every `trial.progress`; every `study.state`, since a state that was passed through is news too. In order of revision.
 */
export function coalesce(stored: readonly StoredEvent[]): StudyEvent[] {
  const states: StudyEvent[] = [];
  let finished: Of<'trial.finished'> | null = null;
  let front: Of<'front.changed'> | null = null;
  let progress: Of<'progress'> | null = null;
  let epochs: Of<'trial.progress'> | null = null;
  for (const { revision, type, data } of stored) {
    const event = { revision, type, data } as StudyEvent;
    if (event.type === 'study.state') states.push(event);
    else if (event.type === 'progress') progress = event;
    else if (event.type === 'trial.progress') epochs = epochs === null ? event : either(epochs, event);
    else if (event.type === 'trial.finished') finished = finished === null ? event : wider(finished, event);
    else if (event.type === 'front.changed') front = front === null ? event : netChange(front, event);
  }
  const order = [finished, front, progress, epochs].filter((e) => e !== null);
  return [...order, ...states].sort((a, b) => a.revision - b.revision);
}

function wider(first: Of<'trial.finished'>, then: Of<'trial.finished'>): Of<'trial.finished'> {
  return { ...then, data: { ...then.data, from: Math.min(first.data.from, then.data.from), to: Math.max(first.data.to, then.data.to) } };
}

const either = (first: Of<'trial.progress'>, then: Of<'trial.progress'>): Of<'trial.progress'> => ({ ...then, data: { numbers: [...new Set([...first.data.numbers, ...then.data.numbers])] } });

function netChange(first: Of<'front.changed'>, then: Of<'front.changed'>): Of<'front.changed'> {
  const added = new Set(first.data.added);
  const removed = new Set(first.data.removed);
  for (const id of then.data.removed) if (!added.delete(id)) removed.add(id);
  for (const id of then.data.added) if (!removed.delete(id)) added.add(id);
  return { ...then, data: { ...then.data, added: [...added], removed: [...removed] } };
}
