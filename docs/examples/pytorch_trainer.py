"""Trains Caddis's candidates with PyTorch: `accuracy: {method: command, command: [python3, pytorch_trainer.py, DATA], send: [pytorch]}`.

DATA is a folder with MNIST's four IDX files, gzipped or not. A candidate comes as the path of its module. With `checkpoints` in the
study it goes on from where a lower fidelity left it. Tells of each epoch, answers accuracy in % and its learning curve, and hands back the weights for
Caddis's exports where it is asked to.
"""
import gzip
import importlib.util
import json
import os
import struct
import sys

import torch
from torch.nn import functional as F

EPOCHS, BATCH, RATE, CALIBRATION = 3, 64, 0.05, 64


def idx(path):
    """Unsigned bytes of an IDX file: two zeros, type 8, number of dimensions, sizes, values."""
    raw = gzip.open(path + ".gz").read() if os.path.exists(path + ".gz") else open(path, "rb").read()
    rank = raw[3]
    sizes = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return torch.frombuffer(bytearray(raw[4 + 4 * rank :]), dtype=torch.uint8).reshape(sizes)


def images(folder, part):
    pixels = idx(os.path.join(folder, f"{part}-images-idx3-ubyte")).float().unsqueeze(1) / 255
    return (pixels - 0.5) / 0.5, idx(os.path.join(folder, f"{part}-labels-idx1-ubyte")).long()


def network(path):
    spec = importlib.util.spec_from_file_location("candidate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Network()


def write_safetensors(path, tensors):
    """Length of a JSON head, the head, all values: what `safetensors.torch.save_file` writes."""
    head, parts, at = {}, [], 0
    for name, tensor in tensors.items():
        values = tensor.detach().contiguous().numpy().astype("<f4").tobytes()
        head[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(values)]}
        parts.append(values)
        at += len(values)
    text = json.dumps(head).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def train(question, data):
    """Epochs up to fidelity × EPOCHS of one cosine schedule; the order of images depends on the epoch alone."""
    torch.manual_seed(0)
    (x, y), (test_x, test_y) = data
    side = question["parameters"].get("resolution")
    fit = (lambda batch: F.interpolate(batch, size=(side, side), mode="bilinear", align_corners=False)) if side else (lambda batch: batch)
    model = network(question["network"]["pytorch"])
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, nesterov=True, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    kept = os.path.join(question["checkpoint"], "state.pt") if "checkpoint" in question else None
    curve = []
    if kept and os.path.exists(kept):
        state = torch.load(kept)
        model.load_state_dict(state["model"]), optimizer.load_state_dict(state["optimizer"]), schedule.load_state_dict(state["schedule"])
        curve = state["curve"]
    for epoch in range(len(curve), max(1, round(question["fidelity"] * EPOCHS))):
        model.train()
        for places in torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch)).split(BATCH):
            if len(places) < 2:
                continue
            optimizer.zero_grad()
            F.cross_entropy(model(fit(x[places])), y[places]).backward()
            optimizer.step()
        schedule.step()
        model.eval()
        with torch.no_grad():
            right = sum((model(fit(a)).argmax(1) == b).sum().item() for a, b in zip(test_x.split(256), test_y.split(256)))
        curve.append(100 * right / len(test_y))
        print(json.dumps({"id": question["id"], "epochs": EPOCHS, "curves": {"accuracy": curve}}), flush=True)
        if kept:
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(), "curve": curve}, kept)
    if "weights" in question:
        # inputs as the network gets them, for the ranges of an int8 export
        write_safetensors(question["weights"], {**model.state_dict(), "calibration": fit(x[:CALIBRATION])})
    return {"metrics": {"accuracy": curve[-1]}, "curves": {"accuracy": curve}}


def main():
    data = [images(sys.argv[1], part) for part in ("train", "t10k")]
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = train(question, data)
        except (RuntimeError, ValueError) as error:
            answer = {"error": str(error)}
        print(json.dumps({"id": question["id"], **answer}), flush=True)


main()
