"""Optuna's samplers over its ask and tell."""

import optuna

from caddis_problems import known

PACKAGES = ["optuna"]

optuna.logging.set_verbosity(optuna.logging.ERROR)


def solve_with(problem, sampler):
    study = optuna.create_study(directions=["minimize"] * problem.objectives, sampler=sampler)
    distributions = {f"x{i}": _distribution(problem, i) for i in range(problem.dimension)}
    for point in problem.start:
        study.enqueue_trial({f"x{i}": v for i, v in enumerate(point)})
    while problem.left > 0:
        trial = study.ask(distributions)
        f, g = problem.evaluate([trial.params[f"x{i}"] for i in range(problem.dimension)])
        for i, value in enumerate(known(g)):
            trial.set_constraint(f"g{i}", value)
        if any(v is None for v in f):
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, known(f))


def _distribution(problem, i):
    kind, low, high = problem.kinds[i], problem.low[i], problem.high[i]
    if kind == "R":
        return optuna.distributions.FloatDistribution(low, high)
    if kind == "I":
        return optuna.distributions.IntDistribution(low, high)
    return optuna.distributions.CategoricalDistribution(list(range(low, high + 1)))
