"""The test problems, evaluated by this repository's own definitions: a Node process answers lines of JSON."""

import json
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Evaluator:
    """Client of dist/bench/optimizers/evaluator.js; one problem is open at a time."""

    def __init__(self):
        script = ROOT / "dist" / "bench" / "optimizers" / "evaluator.js"
        self._process = subprocess.Popen(["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the evaluator ended; its error is above")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def names(self, wanted):
        return self.ask({"problems": wanted})["names"]

    def open(self, name, seed, budget):
        return Problem(self, name, seed, budget, self.ask({"open": name, "seed": seed, "budget": budget}))

    def end(self):
        self._process.stdin.close()
        self._process.wait()


class BudgetSpent(Exception):
    """The problem has been evaluated as often as the budget allows."""


class Problem:
    """Variables (kind R, I or C, lowest, highest), the start design, and the evaluation, counted against the budget."""

    def __init__(self, evaluator, name, seed, budget, opened):
        self.name, self.seed, self.budget = name, seed, budget
        self.kinds = [kind for kind, _, _ in opened["variables"]]
        self.low = [low for _, low, _ in opened["variables"]]
        self.high = [high for _, _, high in opened["variables"]]
        self.objectives, self.constraints = opened["objectives"], opened["constraints"]
        self.start = opened["start"]
        self.count = 0
        self._evaluator = evaluator
        self._evaluation_seconds = 0.0
        self._began = time.perf_counter()

    @property
    def dimension(self):
        return len(self.kinds)

    @property
    def left(self):
        return self.budget - self.count

    def evaluate(self, x):
        """(objectives, constraints), all minimised, constraints kept at most 0; None in place of what is not finite."""
        if self.left <= 0:
            raise BudgetSpent()
        began = time.perf_counter()
        values = [float(v) if kind == "R" else int(round(float(v))) for kind, v in zip(self.kinds, x)]
        answer = self._evaluator.ask({"x": values})
        self.count += 1
        self._evaluation_seconds += time.perf_counter() - began
        return answer["f"], answer["g"]

    def close(self):
        """The trajectory as it is stored."""
        own = time.perf_counter() - self._began - self._evaluation_seconds
        return self._evaluator.ask({"close": True, "ms": 1000 * own / max(1, self.count)})["trajectory"]


def known(values, worst=1e10):
    """Numbers a solver can take: what is not finite becomes a large one."""
    return [worst if v is None else min(max(v, -worst), worst) for v in values]
