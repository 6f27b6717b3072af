"""pymoo's NSGA-II; its mixed-variable genetic algorithm with the same survival where a variable is not continuous."""

import numpy
from pymoo.algorithms.moo.nsga2 import NSGA2, RankAndCrowdingSurvival
from pymoo.core.mixed import MixedVariableGA
from pymoo.core.population import Population
from pymoo.core.problem import ElementwiseProblem
from pymoo.core.variable import Choice, Integer, Real
from pymoo.optimize import minimize

from caddis_problems import BudgetSpent, known

NOTE = "population 20, first population the start design (filled up at random), other settings by default"
PACKAGES = ["pymoo"]


def solve(problem):
    mixed = any(kind != "R" for kind in problem.kinds)
    names = [f"x{i}" for i in range(problem.dimension)]

    class Blackbox(ElementwiseProblem):
        def __init__(self):
            sizes = {"n_obj": problem.objectives, "n_ieq_constr": problem.constraints}
            if mixed:
                super().__init__(vars={name: variable(i) for i, name in enumerate(names)}, **sizes)
            else:
                super().__init__(n_var=problem.dimension, xl=numpy.array(problem.low), xu=numpy.array(problem.high), **sizes)

        def _evaluate(self, x, out, *args, **kwargs):
            f, g = problem.evaluate([x[name] for name in names] if mixed else x)
            out["F"] = known(f)
            if problem.constraints:
                out["G"] = known(g)

    def variable(i):
        kind, low, high = problem.kinds[i], problem.low[i], problem.high[i]
        if kind == "R":
            return Real(bounds=(low, high))
        return Integer(bounds=(low, high)) if kind == "I" else Choice(options=list(range(low, high + 1)))

    size = 20
    generator = numpy.random.default_rng(problem.seed)
    start = [list(point) for point in problem.start]
    while len(start) < size:
        draw = [low + generator.random() * (high - low) if kind == "R" else int(generator.integers(low, high + 1)) for kind, low, high in zip(problem.kinds, problem.low, problem.high)]
        start.append(draw)
    if mixed:
        sampling = Population.new(X=[dict(zip(names, point)) for point in start])
        algorithm = MixedVariableGA(pop_size=size, sampling=sampling, survival=RankAndCrowdingSurvival())
    else:
        algorithm = NSGA2(pop_size=size, sampling=numpy.array(start))
    try:
        minimize(Blackbox(), algorithm, ("n_eval", problem.budget), seed=problem.seed, verbose=False)
    except BudgetSpent:
        pass
