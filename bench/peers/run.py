"""Runs a solver on the test problems and stores its trajectories.

    python bench/peers/run.py nomad --problems mo,so --budget 500 --seeds 5

The file bench/data/peers/SOLVER.json keeps what it has of other problems; a problem named again is replaced. Written after each problem, so a run
can be ended and taken up: --missing leaves out what the file has with as many seeds and evaluations. Build the evaluator first: npm run bench:peers.
"""

import argparse
import importlib
import importlib.metadata
import json
import pathlib
import platform
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from caddis_problems import ROOT, Evaluator  # noqa: E402

SOLVERS = sorted(p.stem for p in (pathlib.Path(__file__).parent / "solvers").glob("*.py") if p.stem not in ("__init__", "optuna_samplers"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("solver", choices=SOLVERS)
    parser.add_argument("--problems", default="*")
    parser.add_argument("--budget", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    module = importlib.import_module(f"solvers.{options.solver}")
    path = options.out or ROOT / "bench" / "data" / "peers" / f"{options.solver}.json"
    record = json.loads(path.read_text()) if path.exists() else {"runs": {}}
    versions = {package: importlib.metadata.version(package) for package in module.PACKAGES}
    record = {"solver": options.solver, "note": module.NOTE, "versions": {"python": platform.python_version(), **versions}, "runs": record["runs"]}
    evaluator = Evaluator()
    for name in evaluator.names(options.problems):
        before = record["runs"].get(name)
        if options.missing and before and before["budget"] >= options.budget and len(before["seeds"]) >= options.seeds:
            continue
        began = time.perf_counter()
        trajectories = []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            problem = evaluator.open(name, seed, options.budget)
            if not supports(module, problem):
                break
            module.solve(problem)
            trajectories.append(problem.close())
        if trajectories:
            record["runs"][name] = {"budget": options.budget, "seeds": trajectories}
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(record))
        print(f"{options.solver} {name}: {len(trajectories)} seeds, {time.perf_counter() - began:.1f} s", file=sys.stderr)
    evaluator.end()


def supports(module, problem):
    return module.supports(problem) if hasattr(module, "supports") else True


def text(record):
    """A line a trajectory."""
    head = {key: value for key, value in record.items() if key != "runs"}
    lines = [json.dumps(head, ensure_ascii=False)[:-1] + ', "runs": {']
    for i, (name, run) in enumerate(sorted(record["runs"].items())):
        lines.append(f'{json.dumps(name)}: {{"budget": {run["budget"]}, "seeds": [')
        lines.append(",\n".join(json.dumps(t, separators=(",", ":")) for t in run["seeds"]))
        lines.append("]}" + ("," if i + 1 < len(record["runs"]) else ""))
    return "\n".join([*lines, "}}"]) + "\n"


if __name__ == "__main__":
    main()
