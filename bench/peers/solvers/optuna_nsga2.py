"""Optuna's NSGA-II."""

from optuna.samplers import NSGAIISampler

from solvers.optuna_samplers import PACKAGES, solve_with

NOTE = "population 20, other settings by default"
__all__ = ["NOTE", "PACKAGES", "solve"]


def solve(problem):
    solve_with(problem, NSGAIISampler(seed=problem.seed, population_size=20))
