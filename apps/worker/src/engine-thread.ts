import { parentPort } from 'node:worker_threads';
import { buildBundle } from '@app/export';
import { studyEvaluator } from '@app/measure';
import { foreseeScored, INLINE_SECONDS, runStep, StudyEngine, type EvaluationContext } from '@app/study';
import type { ThreadAnswers, ThreadCall, ThreadReply, ThreadRequest } from './protocol.js';

/** Searches in progress on this thread. The thread that renews leases is another one, so long thinking here blocks nothing. */
const sessions = new Map<string, { readonly engine: StudyEngine; readonly context: EvaluationContext }>();

async function answer(call: ThreadCall): Promise<ThreadAnswers[keyof ThreadAnswers]> {
  switch (call.op) {
    case 'open': {
      // Commands run where evaluation jobs run; here the evaluator only says whether it is quick and what it answers.
      const evaluator = studyEvaluator(call.study, { allowCommands: true });
      const engine = StudyEngine.open(call.study, call.fold, evaluator);
      sessions.set(call.study.id, { engine, context: { definition: call.study, terms: engine.problem.terms, evaluator, now: () => performance.now() } });
      return { inline: evaluator.secondsPerTrial < INLINE_SECONDS, current: engine.current.map((t) => t.id) };
    }
    case 'step': {
      const session = sessions.get(call.studyId);
      if (!session) throw new Error(`study ${call.studyId} is not open on this thread`);
      session.engine.setBudget(call.budget);
      if (call.stop && (session.engine.current.length === 0 || session.engine.completes(call.settled))) {
        if (session.engine.current.length > 0) session.engine.tell(call.settled, false);
        session.engine.stop();
        return { commit: session.engine.takeCommit(), waiting: [] };
      }
      return runStep(session.engine, session.context, call.settled, { ...call.options, signal: new AbortController().signal });
    }
    case 'close': {
      await sessions.get(call.studyId)?.context.evaluator.close();
      sessions.delete(call.studyId);
      return null;
    }
    case 'foresee':
      return foreseeScored(call.candidate);
    case 'export':
      return buildBundle(call.request);
  }
}

parentPort!.on('message', (request: ThreadRequest) => {
  answer(request.call).then(
    (value) => parentPort!.postMessage({ id: request.id, value } satisfies ThreadReply),
    (error: Error) => parentPort!.postMessage({ id: request.id, error: { name: error.name, message: error.message, stack: error.stack } } satisfies ThreadReply),
  );
});
