"""A blackbox for `caddis optimize`: one JSON object a line in, one a line out."""
import json
import math
import sys

for line in sys.stdin:
    request = json.loads(line)
    p = request["parameters"]
    cost = math.log2(p["n"]) + p["q"] / 4
    quality = (p["x"] - 0.6) ** 2 + 1 / p["n"] + 1 / p["q"] + (0.05 if p["op"] == "relu" else 0)
    metrics = {"f1": quality, "f2": cost * (1.2 if p["op"] == "hswish" else 1), "g1": 0.2 - p["x"]}
    print(json.dumps({"id": request["id"], "metrics": metrics}), flush=True)
