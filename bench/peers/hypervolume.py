"""moocore's exact hypervolume of the fronts on standard input, {"fronts": [[[…]…]…], "references": [[…]…], "repeats": […]}: best seconds of processor time and values as JSON."""

import importlib.metadata
import json
import sys
import time

import moocore
import numpy

task = json.load(sys.stdin)
results = []
for front, reference, repeats in zip(task["fronts"], task["references"], task["repeats"]):
    points = numpy.array(front)
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        value = moocore.hypervolume(points, ref=reference)
        best = min(best, time.process_time() - began)
    results.append({"seconds": best, "value": value})
json.dump({"version": importlib.metadata.version("moocore"), "results": results}, sys.stdout)
