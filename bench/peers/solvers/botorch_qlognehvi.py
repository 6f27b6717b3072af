"""BoTorch: Gaussian processes and qLogNEHVI for several objectives, qLogNEI for one, as in its tutorials; constraints as outcomes of their own."""

import warnings

import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.acquisition.multi_objective.objective import IdentityMCMultiOutputObjective
from botorch.acquisition.objective import GenericMCObjective
from botorch.fit import fit_gpytorch_mll
from botorch.models import MixedSingleTaskGP, ModelListGP, SingleTaskGP
from botorch.models.transforms.outcome import Standardize
from botorch.optim import optimize_acqf
from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating
from botorch.sampling import SobolQMCNormalSampler
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from botorch.utils.multi_objective.pareto import is_non_dominated
from gpytorch.mlls import SumMarginalLogLikelihood

from caddis_problems import known

NOTE = "SingleTaskGP (MixedSingleTaskGP with categories), 128 samples, 10 restarts of 512 raw points, reference point inferred; one thread"
PACKAGES = ["botorch", "gpytorch", "torch"]
SAMPLES, RESTARTS, RAW = 128, 10, 512

torch.set_num_threads(1)
warnings.filterwarnings("ignore")


def solve(problem):
    torch.manual_seed(problem.seed)
    X, Y = [], []
    for point in problem.start:
        tell(problem, X, Y, point)
    while problem.left > 0:
        tell(problem, X, Y, suggest(problem, torch.tensor(X, dtype=torch.double), torch.tensor(Y, dtype=torch.double), problem.seed))


def tell(problem, X, Y, point):
    """Everything maximised inside: outcomes are -f, then -g, feasible when at least 0."""
    f, g = problem.evaluate(point)
    X.append([unit(problem, i, v) for i, v in enumerate(point)])
    Y.append([-v for v in known(f + g)])


def unit(problem, i, value):
    """Numbers on [0, 1], categories by their code."""
    low, high = problem.low[i], problem.high[i]
    return float(value - low) if problem.kinds[i] == "C" else (value - low) / (high - low)


def suggest(problem, X, Y, seed):
    categories = {i: [float(v) for v in range(problem.high[i] - problem.low[i] + 1)] for i in range(problem.dimension) if problem.kinds[i] == "C"}
    steps = {i: [k / (problem.high[i] - problem.low[i]) for k in range(problem.high[i] - problem.low[i] + 1)] for i in range(problem.dimension) if problem.kinds[i] == "I"}
    models = []
    for j in range(Y.shape[1]):
        y = Y[:, j : j + 1]
        if categories:
            models.append(MixedSingleTaskGP(X, y, cat_dims=list(categories), outcome_transform=Standardize(1)))
        else:
            models.append(SingleTaskGP(X, y, outcome_transform=Standardize(1)))
    model = ModelListGP(*models)
    fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
    acquisition = acquisition_of(problem, model, X, Y, seed + 1000 * len(X))
    bounds = torch.tensor([[0.0] * problem.dimension, [float(len(categories[i]) - 1) if i in categories else 1.0 for i in range(problem.dimension)]], dtype=torch.double)
    if categories or steps:
        best, _ = optimize_acqf_mixed_alternating(acquisition, bounds, discrete_dims=steps, cat_dims=categories, q=1, num_restarts=RESTARTS, raw_samples=RAW)
    else:
        best, _ = optimize_acqf(acquisition, bounds, q=1, num_restarts=RESTARTS, raw_samples=RAW)
    return [value(problem, i, v) for i, v in enumerate(best[0].tolist())]


def acquisition_of(problem, model, X, Y, seed):
    m = problem.objectives
    sampler = SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=seed)
    constraints = [lambda Z, k=k: -Z[..., m + k] for k in range(problem.constraints)] or None
    if m == 1:
        objective = GenericMCObjective(lambda Z, X=None: Z[..., 0])
        return qLogNoisyExpectedImprovement(model, X, sampler=sampler, objective=objective, constraints=constraints, prune_baseline=True)
    feasible = (Y[:, m:] >= 0).all(dim=1)
    F = Y[feasible, :m] if feasible.any() else Y[:, :m]
    reference = infer_reference_point(F[is_non_dominated(F)])
    return qLogNoisyExpectedHypervolumeImprovement(model, reference, X, sampler=sampler, objective=IdentityMCMultiOutputObjective(outcomes=list(range(m))), constraints=constraints, prune_baseline=True)


def value(problem, i, v):
    low, high = problem.low[i], problem.high[i]
    if problem.kinds[i] == "R":
        return low + v * (high - low)
    return low + (round(v) if problem.kinds[i] == "C" else round(v * (high - low)))
