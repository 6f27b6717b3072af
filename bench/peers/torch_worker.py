"""Trains and runs networks in PyTorch on orders that come as JSON lines, one answer a line: the other side of bench:training.

about  {}                                          -> {torch}: its version
load   {module, weights, shape, classes, recipe}   -> {forms}: how each came out ("ok" or why not)
time   {form, what: step | forward}                -> {wall, cpu}: milliseconds of one run
train  {module, weights, data, recipe, ...}        -> {accuracy}: percent of held-out images
gradient {module, weights, precision, form, ...}   -> {loss}: and a file of float64 gradients, one after another as keyed
"""
import copy
import importlib.util
import json
import sys
import time
import traceback

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class SplitHeads(nn.Module):
    """A depthwise convolution of h outputs a channel as h plain depthwise ones, which oneDNN has kernels for."""

    def __init__(self, conv):
        super().__init__()
        self.heads = conv.out_channels // conv.groups
        self.convs = nn.ModuleList()
        for j in range(self.heads):
            part = nn.Conv2d(conv.in_channels, conv.in_channels, conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups, bias=False)
            part.weight.data.copy_(conv.weight.data[j :: self.heads])
            self.convs.append(part)

    def forward(self, x):
        return torch.stack([c(x) for c in self.convs], 2).flatten(1, 2)


def with_split_heads(model):
    model = copy.deepcopy(model)
    for name, layer in list(model.named_children()):
        if isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels and layer.groups > 1 and layer.out_channels > layer.groups and layer.bias is None:
            setattr(model, name, SplitHeads(layer))
    return model


def network(module, weights):
    spec = importlib.util.spec_from_file_location("network", module)
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    model = source.Network()
    if weights is not None:
        values = np.fromfile(weights["file"], dtype=np.float32)
        state, at = {}, 0
        for name, shape in weights["tensors"]:
            count = int(np.prod(shape))
            state[name] = torch.from_numpy(values[at : at + count].reshape(shape).copy())
            at += count
        left = model.load_state_dict(state, strict=False)
        unknown = [k for k in left.missing_keys if not k.endswith("num_batches_tracked")]
        if unknown or left.unexpected_keys:
            raise ValueError(f"weights that do not fit: {unknown} {left.unexpected_keys}")
    return model


def sgd(model, recipe):
    """Weight decay on convolutions and linear layers alone, as Caddis has it."""
    decayed = [p for n, p in model.named_parameters() if p.ndim > 1]
    plain = [p for n, p in model.named_parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe["weightDecay"]}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.SGD([g for g in groups if g["params"]], lr=recipe["learningRate"], momentum=recipe["momentum"], nesterov=recipe["nesterov"])


class Form:
    def __init__(self, model, order, channels_last, compiled):
        rng = torch.Generator().manual_seed(1)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model = copy.deepcopy(model).to(memory_format=layout)
        self.images = torch.randn(order["shape"], generator=rng).to(memory_format=layout)
        classes = order["classes"]
        self.targets = torch.arange(order["shape"][0]) % classes
        self.smoothing = order["recipe"]["labelSmoothing"]
        self.optimizer = sgd(self.model, order["recipe"])
        self.call = torch.compile(self.model, mode=compiled) if compiled else self.model

    def step(self):
        self.model.train()
        loss = F.cross_entropy(self.call(self.images), self.targets, label_smoothing=self.smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def forward(self):
        self.model.eval()
        with torch.inference_mode():
            return self.call(self.images)


def load(order):
    model = network(order["module"], order["weights"])
    split = with_split_heads(model)
    makers = {
        "eager": lambda: Form(model, order, False, None), "channels_last": lambda: Form(model, order, True, None),
        "split heads": lambda: Form(split, order, False, None), "split heads, channels_last": lambda: Form(split, order, True, None),
        "compiled": lambda: Form(model, order, False, "default"), "compiled, split heads": lambda: Form(split, order, False, "default"),
    }
    forms, told = {}, {}
    for name in order["forms"]:
        try:
            forms[name] = makers[name]()
            for _ in range(2):
                forms[name].step()
                forms[name].forward()
            told[name] = "ok"
        except Exception as error:
            forms.pop(name, None)
            told[name] = f"{type(error).__name__}: {error}"[:300]
    return forms, {"forms": told}


def timed(form, what):
    run = form.step if what == "step" else form.forward
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return {"wall": 1e3 * (time.perf_counter() - wall), "cpu": 1e3 * (time.process_time() - cpu)}


def train(order):
    """In the form that is fastest for FlyNets. Batches come in the order Caddis gives them: a file of int32 indices, one row an epoch."""
    recipe, batch, shape = order["recipe"], order["batch"], order["shape"]
    read = lambda part: torch.from_numpy(np.fromfile(order["data"][part]["images"], dtype=np.float32).reshape(-1, *shape))
    labels = lambda part: torch.from_numpy(np.fromfile(order["data"][part]["labels"], dtype=np.int32).astype(np.int64))
    images, classes = read("train"), labels("train")
    orders = np.fromfile(order["orders"], dtype=np.int32).reshape(-1, len(images))
    model = with_split_heads(network(order["module"], order["weights"])).to(memory_format=torch.channels_last)
    optimizer = sgd(model, recipe)
    rates, annealing = order["learningRates"], order["annealing"]
    tempered = [(m, m.temperature) for m in model.modules() if getattr(m, "temperature", None) is not None]
    at = 0
    model.train()
    for rows in orders:
        for i in range(len(images) // batch):
            pick = torch.from_numpy(rows[i * batch : (i + 1) * batch].astype(np.int64))
            for group in optimizer.param_groups:
                group["lr"] = rates[at]
            for attention, own in tempered:
                attention.temperature = own + max(0, order["annealFrom"] - own) * annealing[at]
            loss = F.cross_entropy(model(images[pick].contiguous(memory_format=torch.channels_last)), classes[pick], label_smoothing=recipe["labelSmoothing"])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            at += 1
    for attention, own in tempered:
        attention.temperature = own
    model.eval()
    held, truth = read("validation"), labels("validation")
    with torch.inference_mode():
        right = sum((model(held[i : i + 250]).argmax(1) == truth[i : i + 250]).sum().item() for i in range(0, len(held), 250))
    return {"accuracy": 100 * right / len(held)}


def gradient(order):
    """Of the mean cross-entropy of one batch, batch norm by the batch."""
    dtype = getattr(torch, order["precision"])
    model = network(order["module"], order["weights"]).to(dtype).train()
    images = torch.from_numpy(np.fromfile(order["images"], dtype=np.float32).reshape(order["shape"])).to(dtype)
    targets = torch.from_numpy(np.fromfile(order["targets"], dtype=np.float32).reshape(len(images), -1)).to(dtype)
    if order["form"].startswith("split"):
        model = with_split_heads(model).to(dtype).to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    named = dict(model.named_parameters())
    loss = F.cross_entropy(model(images), targets)
    loss.backward()

    def of(key):
        if key in named:
            return named[key].grad
        layer = model.get_submodule(key.rsplit(".", 1)[0])
        return torch.stack([c.weight.grad for c in layer.convs], 1).flatten(0, 1)

    flat = [of(key).contiguous().to(torch.float64).flatten().numpy() for key in order["keys"]]
    np.concatenate(flat).tofile(order["to"])
    return {"loss": loss.item()}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(1)
    forms = {}
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if order["do"] == "about":
                answer = {"torch": torch.__version__}
            elif order["do"] == "load":
                forms, answer = load(order)
            elif order["do"] == "time":
                answer = timed(forms[order["form"]], order["what"])
            elif order["do"] == "gradient":
                answer = gradient(order)
            else:
                answer = train(order)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
