"""Runs generated modules on exported weights and stored inputs and prints what they answer, as JSON: [[{"shape", "data"}, …], …]."""
import importlib.util
import json
import sys

import torch

torch.set_num_threads(1)


def tensor(stored):
    return torch.tensor(stored["data"], dtype=torch.float32).reshape(stored["shape"])


answers = []
for case in json.load(open(sys.argv[1])):
    spec = importlib.util.spec_from_file_location(case["name"], case["file"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.Network().eval()
    state = torch.load(case["state"], **({"weights_only": True} if hasattr(torch.serialization, "add_safe_globals") else {}))
    network.load_state_dict(state)
    missing = set(state) ^ {key for key in network.state_dict() if not key.endswith("num_batches_tracked")}
    assert not missing, f"{case['name']}: keys differ: {missing}"
    with torch.no_grad():
        outputs = network(*[tensor(value) for value in case["inputs"]])
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    answers.append([{"shape": list(o.shape), "data": o.flatten().tolist()} for o in outputs])
json.dump(answers, sys.stdout)
