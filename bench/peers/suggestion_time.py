"""Seconds of one suggestion of BoTorch (fit and ask) at 200 points, 20 variables, 3 objectives, best of --repeats; JSON on standard output.

    python bench/peers/suggestion_time.py [--points 200] [--variables 20] [--objectives 3]
"""

import argparse
import importlib.metadata
import json
import pathlib
import sys
import time
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import torch  # noqa: E402

from solvers.botorch_qlognehvi import PACKAGES, suggest  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("points", 200), ("variables", 20), ("objectives", 3), ("repeats", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    n, d, m = options.points, options.variables, options.objectives
    problem = types.SimpleNamespace(dimension=d, kinds=["R"] * d, low=[0.0] * d, high=[1.0] * d, objectives=m, constraints=0, seed=1)
    X = torch.quasirandom.SobolEngine(d, scramble=True, seed=1).draw(n, dtype=torch.double)
    seconds = []
    for k in range(options.repeats):
        began = time.process_time()
        suggest(problem, X, dtlz2(X, m), k)
        seconds.append(time.process_time() - began)
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    json.dump({"points": n, "variables": d, "objectives": m, "processorSeconds": min(seconds), "versions": versions}, sys.stdout)
    print()


def dtlz2(X, m):
    """-f of DTLZ2, maximised."""
    g = ((X[:, m - 1 :] - 0.5) ** 2).sum(dim=1)
    columns = []
    for j in range(m):
        f = 1 + g
        for k in range(m - 1 - j):
            f = f * torch.cos(X[:, k] * torch.pi / 2)
        if j > 0:
            f = f * torch.sin(X[:, m - 1 - j] * torch.pi / 2)
        columns.append(f)
    return -torch.stack(columns, dim=1)


if __name__ == "__main__":
    main()
