"""NOMAD 4: MADS, DMulti-MADS for several objectives. Categories are integers to it."""

import multiprocessing
import os
import tempfile

from caddis_problems import known

NOTE = "defaults; DMulti-MADS with directions ORTHO N+1 NEG for several objectives; progressive barrier; categories as integers; ended when nine of ten points were known"
PACKAGES = ["PyNomadBBO"]


def solve(problem):
    # The generator of a process is seeded once: a process for each run.
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_run, args=(problem, queue))
    child.start()
    child.join()
    if child.exitcode != 0:
        raise RuntimeError(f"NOMAD ended with {child.exitcode} on {problem.name}, seed {problem.seed}")
    problem.count, problem._evaluation_seconds = queue.get()


def _run(problem, queue):
    import PyNomad

    def blackbox(x):
        f, g = problem.evaluate([x.get_coord(i) for i in range(x.size())])
        failed = any(v is None for v in f + g)
        x.setBBO(" ".join(repr(v) for v in known(f + g)).encode("UTF-8"))
        return 0 if failed else 1

    outputs = ["OBJ"] * problem.objectives + ["PB"] * problem.constraints
    parameters = [
        f"DIMENSION {problem.dimension}",
        f"BB_INPUT_TYPE ( {' '.join('R' if kind == 'R' else 'I' for kind in problem.kinds)} )",
        f"BB_OUTPUT_TYPE {' '.join(outputs)}",
        f"MAX_BB_EVAL {problem.budget}",
        # Points met before count here: on a small grid it would look for new ones for ever.
        f"MAX_EVAL {10 * problem.budget}",
        "DISPLAY_DEGREE 0",
        f"SEED {problem.seed}",
    ]
    if problem.objectives > 1:
        parameters += ["DMULTIMADS_OPTIMIZATION true", "DIRECTION_TYPE ORTHO N+1 NEG"]
    with tempfile.TemporaryDirectory() as folder:
        starts = os.path.join(folder, "start.txt")
        with open(starts, "w") as file:
            file.writelines(" ".join(repr(v) for v in point) + "\n" for point in problem.start)
        # stdout belongs to NOMAD's own messages; the parent's must stay clean.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        PyNomad.optimize(blackbox, [], problem.low, problem.high, [*parameters, f"X0 {starts}"])
    queue.put((problem.count, problem._evaluation_seconds))
