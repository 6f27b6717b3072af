import { afterEach, describe, expect, it } from 'vitest';
import { EvaluatorError } from '@app/study';
import { startCommand, type CommandOptions, type CommandRunner } from './command-process.js';

const runners: CommandRunner[] = [];
afterEach(async () => {
  await Promise.all(runners.splice(0).map((r) => r.close()));
});

/** A program whose `answer(question, say)` is the given JavaScript; `say` prints a line. */
function program(answer: string, options: Partial<CommandOptions> = {}): CommandRunner {
  const source = `
    const say = (x) => process.stdout.write((typeof x === 'string' ? x : JSON.stringify(x)) + '\\n');
    const answer = (q) => { ${answer} };
    require('readline').createInterface({ input: process.stdin }).on('line', (line) => answer(JSON.parse(line)));
  `;
  const runner = startCommand({ command: [process.execPath, '-e', source], ...options });
  runners.push(runner);
  return runner;
}

const failure = async (promise: Promise<unknown>): Promise<EvaluatorError> => {
  const error = await promise.then(() => null, (e: unknown) => e);
  expect(error).toBeInstanceOf(EvaluatorError);
  return error as EvaluatorError;
};

describe('a command that evaluates', () => {
  it('is asked one JSON line a point and answers numbers', async () => {
    const runner = program('say({ id: q.id, metrics: { f1: q.parameters.x * 2, fidelity: q.fidelity, keys: Object.keys(q).length } })');
    expect(await runner.evaluate(7, { x: 4, op: 'relu' })).toEqual({ f1: 8, fidelity: 1, keys: 3 });
    expect(await runner.evaluate('a', { x: 0.5 }, 0.25)).toEqual({ f1: 1, fidelity: 0.25, keys: 3 });
  });

  it('may answer in any order, and stays one process', async () => {
    const runner = program('this.waiting = [q, ...(this.waiting ?? [])]; if (this.waiting.length === 3) this.waiting.forEach((w) => say({ id: w.id, metrics: { f: w.parameters.x, pid: process.pid } }))');
    const answers = await Promise.all([1, 2, 3].map((i) => runner.evaluate(i, { x: 10 * i })));
    expect(answers.map((a) => a['f'])).toEqual([10, 20, 30]);
    expect(new Set(answers.map((a) => a['pid'])).size).toBe(1);
  });

  it('may tell of curves before it answers, which decide nothing', async () => {
    const runner = program('say({ id: q.id, curves: { accuracy: [40], f: [1, "x"] } }); say({ id: q.id, curves: { accuracy: [40, 50] } }); say({ id: 99, curves: {} }); say({ id: q.id, metrics: { accuracy: 60 } })');
    const seen: unknown[] = [];
    expect(await runner.ask(1, { parameters: {}, fidelity: 1 }, undefined, (p) => seen.push(p))).toMatchObject({ accuracy: { value: 60, unit: '%' } });
    expect(seen).toEqual([[40], [40, 50]].map((values) => ({ epochs: null, curves: { accuracy: { unit: '%', values } } })));
  });

  it('may report an error of its own', async () => {
    expect(await failure(program('say({ id: q.id, error: "no such layer" })').evaluate(1, {}))).toMatchObject({ reason: 'evaluator-error', message: 'no such layer' });
  });

  it.each([
    ['NaN', 'metric "g" is NaN; a finite number is due'],
    ['-Infinity', 'metric "g" is -Infinity; a finite number is due'],
    ['"12"', 'metric "g" is "12"; a finite number is due'],
    ['null', 'metric "g" is null; a finite number is due'],
  ])('fails a trial whose metric is %s, naming it and keeping the others', async (value, message) => {
    const error = await failure(program(`say('{"id": ' + q.id + ', "metrics": {"f": 1.5, "g": ${value.replaceAll('"', '\\"')}, "note NaN": 3}}')`).evaluate(1, {}));
    expect(error).toMatchObject({ reason: 'invalid-metric', message });
    expect(error.metrics).toMatchObject({ f: { value: 1.5, provenance: 'reported', unit: '1' }, 'note NaN': { value: 3 } });
  });

  it('fails a trial that lacks a metric, naming it and what came', async () => {
    const error = await failure(program('say({ id: q.id, metrics: { f: 1 } })', { metrics: ['f', 'accuracy'] }).evaluate(1, {}));
    expect(error).toMatchObject({ reason: 'invalid-metric', message: 'metric "accuracy" is missing; the answer has f' });
  });

  it('fails a trial whose answer has no metrics object', async () => {
    expect(await failure(program('say({ id: q.id, metrics: [1] })').evaluate(1, {}))).toMatchObject({ reason: 'invalid-answer' });
  });

  it('may print what is no answer: each such line is reported, none is lost', async () => {
    const stray: string[] = [];
    const runner = program('say("epoch 1 of 3"); say(""); say({ id: 99, metrics: { f: 0 } }); say("[1, 2]"); say({ id: q.id, metrics: { f: 1 } })', { onStray: (line) => stray.push(line) });
    expect(await runner.evaluate(1, {})).toEqual({ f: 1 });
    expect(stray).toEqual(['epoch 1 of 3', '{"id":99,"metrics":{"f":0}}', '[1, 2]']);
  });

  it('that dies fails what is pending with its standard error, and is started again', async () => {
    const runner = program('if (q.parameters.x === 13) { console.error("lost my marbles"); say("half an answ"); process.exit(3); } if (q.parameters.x !== 1) say({ id: q.id, metrics: { f: q.parameters.x } })');
    const [waiting, fatal] = await Promise.all([failure(runner.evaluate(1, { x: 1 })), failure(runner.evaluate(2, { x: 13 }))]);
    for (const error of [waiting, fatal]) {
      expect(error.reason).toBe('evaluator-exited');
      expect(error.message).toMatch(/ended with code 3 with 2 answers due; standard error ends with:\nlost my marbles; last line that was no answer: half an answ$/);
    }
    expect(await runner.evaluate(3, { x: 5 })).toEqual({ f: 5 });
  });

  it('keeps the last 4 KB of standard error only', async () => {
    const error = await failure(program('process.stderr.write("x".repeat(20000) + "END", () => process.exit(1))').evaluate(1, {}));
    expect(error.message.length).toBeLessThan(6000);
    expect(error.message.trimEnd().endsWith('END')).toBe(true);
  });

  it('that does not exist fails each question', async () => {
    const runner = startCommand({ command: ['./no-such-program-here'] });
    for (const id of [1, 2]) expect(await failure(runner.evaluate(id, {}))).toMatchObject({ reason: 'evaluator-exited', message: expect.stringContaining('could not be started') as string });
    await runner.close();
  });

  it('is given up when the signal is aborted, and a fresh one answers the next question', async () => {
    const runner = program('if (q.parameters.x === 1) while (true); say({ id: q.id, metrics: { f: 2 } })', { killAfterMs: 50 });
    const stop = new AbortController();
    const stuck = runner.evaluate(1, { x: 1 }, 1, stop.signal);
    setTimeout(() => stop.abort(new Error('over time')), 100);
    await expect(stuck).rejects.toThrow('over time');
    expect(await runner.evaluate(2, { x: 2 })).toEqual({ f: 2 });
    await expect(runner.evaluate(3, { x: 2 }, 1, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('goes on with its other questions when one is aborted', async () => {
    const runner = program('setTimeout(() => say({ id: q.id, metrics: { pid: process.pid } }), q.parameters.wait)');
    const first = await runner.evaluate(1, { wait: 0 });
    const stop = new AbortController();
    const [given, kept] = [runner.evaluate(2, { wait: 300 }, 1, stop.signal), runner.evaluate(3, { wait: 100 })];
    stop.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    expect(await kept).toEqual(first);
  });

  it('is killed on close if it does not end by itself, and takes no more questions', async () => {
    const runner = program('process.on("SIGTERM", () => {}); say("ready"); setInterval(() => {}, 1000)', { killAfterMs: 100 });
    const pending = failure(runner.evaluate(1, {}));
    await new Promise((resolve) => setTimeout(resolve, 150));
    await runner.close();
    expect(await pending).toMatchObject({ reason: 'evaluator-closed' });
    expect(await failure(runner.evaluate(2, {}))).toMatchObject({ reason: 'evaluator-closed' });
  });

  it('refuses an id that is pending, and an empty command', async () => {
    const runner = program('setTimeout(() => say({ id: q.id, metrics: { f: 1 } }), 50)');
    const first = runner.evaluate(1, {});
    await expect(runner.evaluate(1, {})).rejects.toThrow('id 1 is pending already');
    expect(await first).toEqual({ f: 1 });
    expect(() => startCommand({ command: [] })).toThrow('expected a program');
  });
});
