"""SMAC3: random forests, ParEGO for several objectives. It knows no constraints: problems that have them are left out."""

import pathlib
import tempfile

from ConfigSpace import Categorical, Configuration, ConfigurationSpace, Float, Integer
from smac import HyperparameterOptimizationFacade, Scenario
from smac.multi_objective.parego import ParEGO
from smac.runhistory.dataclasses import TrialInfo, TrialValue

from caddis_problems import known

NOTE = "HyperparameterOptimizationFacade, ParEGO for several objectives, deterministic, the start design in place of its own"
PACKAGES = ["smac", "ConfigSpace"]


def supports(problem):
    return problem.constraints == 0


def solve(problem):
    space = ConfigurationSpace(seed=problem.seed)
    space.add([_parameter(problem, i) for i in range(problem.dimension)])
    names = [f"f{j}" for j in range(problem.objectives)]
    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            space,
            objectives=names if problem.objectives > 1 else "cost",
            n_trials=problem.budget,
            deterministic=True,
            seed=problem.seed,
            output_directory=pathlib.Path(folder),
        )
        design = HyperparameterOptimizationFacade.get_initial_design(scenario, n_configs=0)
        extra = {"multi_objective_algorithm": ParEGO(scenario)} if problem.objectives > 1 else {}
        smac = HyperparameterOptimizationFacade(scenario, lambda config, seed=0: 0, initial_design=design, overwrite=True, logging_level=False, **extra)
        for point in problem.start:
            config = Configuration(space, values={f"x{i}": v for i, v in enumerate(point)})
            _tell(problem, smac, TrialInfo(config, seed=0))
        while problem.left > 0:
            _tell(problem, smac, smac.ask())


def _tell(problem, smac, info):
    f, _ = problem.evaluate([info.config[f"x{i}"] for i in range(problem.dimension)])
    cost = known(f)
    smac.tell(info, TrialValue(cost=cost if problem.objectives > 1 else cost[0], time=0.0))


def _parameter(problem, i):
    name, low, high = f"x{i}", problem.low[i], problem.high[i]
    if problem.kinds[i] == "R":
        return Float(name, (float(low), float(high)))
    return Integer(name, (low, high)) if problem.kinds[i] == "I" else Categorical(name, list(range(low, high + 1)))
