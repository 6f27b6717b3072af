"""Optuna's Gaussian process sampler."""

import torch
from optuna.samplers import GPSampler

from solvers.optuna_samplers import PACKAGES as OPTUNA, solve_with

NOTE = "deterministic objective, other settings by default; one thread"
PACKAGES = [*OPTUNA, "torch"]
torch.set_num_threads(1)


def solve(problem):
    solve_with(problem, GPSampler(seed=problem.seed, deterministic_objective=True))
