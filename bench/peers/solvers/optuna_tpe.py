"""Optuna's tree-structured Parzen estimator."""

from optuna.samplers import TPESampler

from solvers.optuna_samplers import PACKAGES, solve_with

NOTE = "defaults of TPESampler"
__all__ = ["NOTE", "PACKAGES", "solve"]


def solve(problem):
    solve_with(problem, TPESampler(seed=problem.seed))
