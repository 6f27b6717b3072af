"""Pruning ratios of a binary ResNet-18, layer after layer, by the lower confidence bound.

Guerra, "Efficient deep neural networks aimed for resource constrained embedded devices" (2024), section 4.3.4: each layer's ratio x in
[0, 0.40] is that of the least y(x) = L_c + a1 L_params + a2 L_size (eq. 4.5, a2 = a1/4, all in per cent) among 5 observations and 5
explorations at the least mean - 2.5 deviation of a Gaussian process (eq. 4.6-4.11, the sign that fits a loss).

    python3 pruning_ratios.py --caddis "npx caddis"     # all layers, in order; the ratios as JSON
    python3 pruning_ratios.py --report                  # what Table 4.1's ratios leave of parameters and size

Each layer is one `caddis optimize` with this file as its blackbox.
"""
import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile

# First convolution of each basic block: its parameters, those of the second, which loses the matching inputs, and Table 4.1's ratio. What the
# residual stream carries stays as it is.
LAYERS = {
    "conv2": (36864, 36864, 0), "conv4": (36864, 36864, 0), "conv6": (73728, 147456, 0), "conv8": (147456, 147456, 0.0141),
    "conv10": (294912, 589824, 0), "conv12": (589824, 589824, 0.2553), "conv14": (1179648, 2359296, 0.2629), "conv16": (2359296, 2359296, 0.40),
}
BINARY = 10985472 + 172032  # the 3x3 convolutions, and the 1x1 ones beside the stream
FULL = 9408 + 513000  # conv1 and the classifier, 32 bits
ERROR = 100 - 52.23  # top-1 of Xnor-Net before pruning
PRUNED_ERROR = 100 - 49.48
KAPPA, OBSERVATIONS, EXPLORATIONS, HIGHEST = 2.5, 5, 5, 0.40


def remaining(ratios):
    """Per cent of parameters and of bits that are left."""
    gone = sum(ratios.get(name, 0) * (own + following) for name, (own, following, _) in LAYERS.items())
    return 100 * (1 - gone / (BINARY + FULL)), 100 * (1 - gone / (BINARY + 32 * FULL))


def slopes(a1):
    """What eq. 4.5's last two terms gain by a whole layer."""
    return {name: a1 * (100 - remaining({name: 1})[0]) + a1 / 4 * (100 - remaining({name: 1})[1]) for name in LAYERS}


def weight():
    """a1, which the thesis leaves open: at which the loss below costs the 2.75 points that Table 4.1 reports."""
    return (PRUNED_ERROR - ERROR) / sum(slopes(1)[name] * x / 2 for name, (_, _, x) in LAYERS.items())


def classification_error(ratios):
    """A stand-in for your network on a small part of the data: a parabola a layer with which Table 4.1's ratios are the best."""
    total = ERROR
    for name, slope in slopes(weight()).items():
        x, best = ratios.get(name, 0), LAYERS[name][2]
        total += slope * (x * x / (2 * best) if best > 0 else 2 * x)
    return total


def metrics(ratios):
    a1 = weight()
    params, size = remaining(ratios)
    error = classification_error(ratios)
    return {"y": error + a1 * params + a1 / 4 * size, "error": error, "params": params, "size": size}


def evaluate(fixed):
    """The blackbox: one JSON object a line in, one a line out."""
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"id": request["id"], "metrics": metrics({**fixed, **request["parameters"]})}), flush=True)


def search(caddis, layers, seed):
    ratios = {}
    for layer in layers:
        with tempfile.TemporaryDirectory() as folder:
            problem = os.path.join(folder, "problem.json")
            with open(problem, "w") as file:
                json.dump({
                    "parameters": [{"name": layer, "type": "float", "min": 0, "max": HIGHEST}],
                    "objectives": [{"metric": "y"}],
                    "settings": {"initialPoints": OBSERVATIONS, "kappa": KAPPA},
                    "evaluator": {"command": [sys.executable, os.path.abspath(__file__), "--evaluate", json.dumps(ratios)]},
                }, file)
            budget = str(OBSERVATIONS + EXPLORATIONS)
            run = subprocess.run([*caddis, "optimize", problem, "--algorithm", "bo", "--budget", budget, "--seed", str(seed), "--json"], capture_output=True, text=True)
            if run.returncode != 0:
                sys.exit(run.stderr)
            trials = json.loads(run.stdout)["trials"]
        best = min(trials, key=lambda trial: trial["metrics"]["y"])
        ratios[layer] = best["parameters"][layer]
        print(f"{layer}: {100 * ratios[layer]:.2f} %", file=sys.stderr)
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--caddis", default="npx caddis")
    parser.add_argument("--layers", default=",".join(LAYERS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--evaluate")
    options = parser.parse_args()
    if options.evaluate is not None:
        evaluate(json.loads(options.evaluate))
    elif options.report:
        print(json.dumps(metrics({name: x for name, (_, _, x) in LAYERS.items()})))
    else:
        ratios = search(shlex.split(options.caddis), options.layers.split(","), options.seed)
        print(json.dumps({"ratios": ratios, **metrics(ratios)}))


if __name__ == "__main__":
    main()
