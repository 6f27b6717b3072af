/**
 * The test problems for solvers in other languages: requests and answers are lines of JSON on standard input and output.
 *
 *   {"problems": "mo,TNK"}                        → {"names": […]}
 *   {"open": "TNK", "seed": 1, "budget": 500}     → variables [kind, low, high], objectives, constraints, start design
 *   {"x": […]}                                    → {"f": […], "g": […]}; null where not finite
 *   {"close": true, "ms": 1.5}                    → {"trajectory": {…}} of the trials since `open`
 *
 * A request that cannot be answered gets {"error": …}.
 */
import { createInterface } from 'node:readline';
import { chosenProblems, readProblems, startDesign, type TestProblem } from './problems.js';
import { trajectory, type Feasible } from './trajectory.js';

interface Request {
  readonly problems?: string;
  readonly open?: string;
  readonly seed?: number;
  readonly budget?: number;
  readonly x?: readonly number[];
  readonly close?: boolean;
  readonly ms?: number;
}

interface Session {
  readonly test: TestProblem;
  readonly seed: number;
  readonly budget: number;
  readonly feasible: Feasible[];
  evaluations: number;
}

const all = readProblems();
let session: Session | null = null;

function answer(request: Request): unknown {
  if (request.problems !== undefined) return { names: chosenProblems(all, request.problems).map((t) => t.name) };
  if (request.open !== undefined) return open(request);
  if (session === null) throw new RangeError('expected "open" first');
  if (request.x !== undefined) return evaluate(session, request.x);
  if (request.close) {
    const { test, seed, feasible, budget } = session;
    session = null;
    return { trajectory: trajectory(test, seed, feasible, budget, request.ms ?? 0) };
  }
  throw new RangeError(`expected problems, open, x or close, got ${Object.keys(request).join(', ')}`);
}

function open({ open: name, seed, budget }: Request): unknown {
  const test = all.find((t) => t.name === name);
  if (!test) throw new RangeError(`open: no problem ${JSON.stringify(name)}`);
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(budget)) throw new RangeError('open: expected an integer seed and an integer budget');
  session = { test, seed: seed!, budget: budget!, feasible: [], evaluations: 0 };
  const { variables, objectives, constraints } = test;
  // One objective starts from a single point, as our own runs do.
  return { variables, objectives, constraints, start: startDesign(variables, seed!).slice(0, objectives === 1 ? 1 : undefined) };
}

function evaluate(current: Session, x: readonly number[]): unknown {
  if (x.length !== current.test.variables.length) throw new RangeError(`x: expected ${current.test.variables.length} values, got ${x.length}`);
  const { f, g } = current.test.compute(x);
  current.evaluations++;
  if (f.every(Number.isFinite) && g.every((v) => v <= 0)) current.feasible.push({ at: current.evaluations, f });
  // JSON writes null for what is not finite.
  return { f, g };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply: unknown;
  try {
    reply = answer(JSON.parse(line) as Request);
  } catch (error) {
    reply = { error: (error as Error).message };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
