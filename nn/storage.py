"""Keeping a model: one JSON file with its architecture and every number, and the way to and from PyTorch.

JSON, because anyone can read it, nothing in it can be executed, and Python writes each float in the shortest digits
that give back the same bits. A digest over the content tells a file that was damaged or changed; nothing is made of a
file before the numbers in it are counted and the digest has been found right.
"""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import math
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.drawing.files import write_whole
from nn.layers import ACTIVATIONS, MLP, Layer, Neuron
from nn.module import Module
from nn.optimizers import SGD, Adam, AdamW, CosineDecay, LinearDecay, Optimizer, RMSprop, Warmup

if TYPE_CHECKING:
    import numpy as np

FORMAT = "glassgrad model 1"
OPTIMIZERS = {kind.__name__: kind for kind in (SGD, RMSprop, Adam, AdamW)}
SCHEDULES: dict[str, Any] = {kind.__name__: kind for kind in (LinearDecay, CosineDecay, Warmup)}
KEPT = ("classes", "columns", "threshold")  # what training lets a model know
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # as text, since JSON has no such numbers


def save(model: Neuron | Layer | MLP, path: str | os.PathLike[str], optimizer: Optimizer | None = None) -> None:
    """Write a model to a file, from which `load` makes an equal one, to the bit.

    With its optimizer it keeps the optimizer's settings, its state, and where `fit` stands in the shuffles: training
    that goes on from the file ends where it would have ended without it.

    The file appears complete or not at all. It keeps the permissions of one that was there; a link stays one, and into
    a pipe or a device it is written.

    Raises:
        TypeError: for a model or an optimizer of another class, whose architecture cannot be known; keep a model's
            `state_dict()`.
        OSError: where the path cannot be written.
    """
    content: dict[str, Any] = {"model": architecture(model)}
    content["parameters"] = {name: json_numbers(array) for name, array in model.state_dict().items()}
    content |= {name: labels(name, getattr(model, name)) for name in KEPT if getattr(model, name) is not None}
    if optimizer is not None:
        content["optimizer"] = optimizer_entry(optimizer, model)
    write_whole(path, file_text(content))


def load(path: str | os.PathLike[str]) -> Any:
    """The model in a file that `save` wrote, a Neuron, a Layer or an MLP; with an optimizer, (model, optimizer).

    Raises:
        ValueError: for a file that is not one of ours, or was damaged or changed. Nothing in it is executed.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8")
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        content = {name: part for name, part in document.items() if name not in ("format", "sha256")}
        arrays = {name: array_of(array, name) for name, array in content["parameters"].items()}
        if document["sha256"] != digest(content) or file_text(content) != text:
            raise ChangedFileError
        return rebuilt(content, arrays)
    except ChangedFileError:
        raise ValueError(
            f"{os.fspath(path)} was changed since nn.save wrote it: its content does not fit its digest"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise ValueError(f"{os.fspath(path)} is not a model that nn.save wrote, or it is damaged: {error}") from None


class ChangedFileError(Exception):
    """The content of a file is not what was written."""


def file_text(content: dict[str, Any]) -> str:
    """The text of a file."""
    return json.dumps({"format": FORMAT, "sha256": digest(content), **content}, indent=1) + "\n"


def digest(content: dict[str, Any]) -> str:
    """What tells one content from another."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def rebuilt(content: dict[str, Any], arrays: dict[str, Any]) -> Any:
    """What a file describes."""
    kinds = {"Neuron": built_neuron, "Layer": built_layer, "MLP": built_mlp}
    described = content["model"]
    model = kinds[described["class"]](described, arrays)
    model.load_state_dict(arrays)
    for name in KEPT:
        if name in content:
            setattr(model, name, content[name])
    return (model, optimizer_of(content["optimizer"], model)) if "optimizer" in content else model


# Numbers and names in JSON ------------------------------------------------------------------------------------------


def json_numbers(array: np.ndarray) -> Any:
    """An array as lists of numbers, those that JSON does not have as text."""
    import numpy as np

    if np.isfinite(array).all():
        return array.tolist()
    mixed = array.astype(object)
    for place in np.argwhere(~np.isfinite(array)):
        mixed[tuple(place)] = json.dumps(float(array[tuple(place)]))
    return mixed.tolist()


def array_of(given: Any, name: str) -> np.ndarray:
    """The array that `json_numbers` made lists of; a ValueError for anything else, before an array is made of it."""
    import numpy as np

    rows = given if isinstance(given, list) else [given]
    deep = all(isinstance(row, list) for row in rows) and bool(rows)
    flat = [x for row in rows for x in row] if deep else rows
    whole = not deep or len({len(row) for row in rows}) == 1
    if not whole or not all(type(x) in (int, float) or (type(x) is str and x in NOT_FINITE) for x in flat):
        raise ValueError(f"{name!r} does not hold real numbers")
    shape = (len(rows), len(rows[0])) if deep else (len(rows),) if rows is given else ()
    return np.array([NOT_FINITE[x] if type(x) is str else float(x) for x in flat]).reshape(shape)


def labels(name: str, kept: Any) -> Any:
    """Names of classes or columns, or a threshold, as JSON has them."""
    listed = [x.item() if hasattr(x, "item") else x for x in (kept if isinstance(kept, (list, tuple)) else [kept])]
    for x in listed:
        if not isinstance(x, (str, bool, int, float)):
            raise TypeError(f"model.{name} is saved where it is text, numbers or booleans, not {x!r}")
    return listed if isinstance(kept, (list, tuple)) else listed[0]


# Architectures ------------------------------------------------------------------------------------------------------


def built_neuron(described: Any, arrays: Any) -> Neuron:
    """A neuron with as many inputs as the file has weights."""
    return Neuron(len(arrays["weight"]), known(described["activation"]))


def built_layer(described: Any, arrays: Any, prefix: str = "") -> Layer:
    """A layer of the shape of its weights in the file, so that a file can ask for no more memory than it has bytes."""
    n_out, n_in = arrays[f"{prefix}weight"].shape
    return Layer(n_in, n_out, known(described["activation"]))


def built_mlp(described: Any, arrays: Any) -> MLP:
    """An MLP of the layers in the file, of which one may stand in several places."""
    layers: list[Layer] = []
    for i, layer in enumerate(described["layers"]):
        tied = layer.get("tied_to")
        layers.append(built_layer(layer, arrays, f"layers.{i}.") if tied is None else layers[tied])
    return mlp_of(layers)


def known(activation: Any) -> str:
    """An activation, which may be an operation that was declared where the model was saved."""
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"there is no activation {activation!r}; if it is an operation of your own, declare it by "
            "autograd.primitive before loading"
        )
    return activation


def mlp_of(layers: list[Layer]) -> MLP:
    """The MLP of given layers."""
    if not layers:
        raise ValueError("there is no layer to make an MLP of")
    for number, (below, above) in enumerate(itertools.pairwise(layers), 2):
        if above.n_in != below.n_out:
            raise ValueError(f"layer {number} has {above.n_in} inputs, but the one before has {below.n_out} outputs")
    model = MLP(layers[0].n_in, [1])
    model.layers = layers
    for number, layer in enumerate(layers, 1):
        layer.place(number)
    return model


def architecture(model: Any) -> dict[str, Any]:
    """What a model is, without its numbers."""
    if type(model) is Neuron:
        return {"class": "Neuron", "activation": model.activation}
    if type(model) is Layer:
        (activation, *others) = {neuron.activation for neuron in model.neurons}
        if not others:
            return {"class": "Layer", "activation": activation}
        raise ValueError(f"a layer is saved with one activation, but its neurons have {len(others) + 1} different ones")
    if type(model) is MLP:
        first = {id(layer): i for i, layer in reversed(list(enumerate(model.layers)))}
        layers = [
            architecture(layer) if first[id(layer)] == i else {"class": "Layer", "tied_to": first[id(layer)]}
            for i, layer in enumerate(model.layers)
        ]
        apart = sum(len(layer.parameters()) for i, layer in enumerate(model.layers) if first[id(layer)] == i)
        if apart != len(model.parameters()):
            raise ValueError("the model's layers share parameters, or it has others besides; keep its state_dict()")
        return {"class": "MLP", "layers": layers}
    advice = "; numpy.savez keeps its state_dict()" if isinstance(model, Module) else ""
    raise TypeError(f"only a Neuron, a Layer or an MLP can be saved whole, not {type(model).__name__}{advice}")


# Optimizers ---------------------------------------------------------------------------------------------------------


def optimizer_entry(optimizer: Any, model: Any) -> dict[str, Any]:
    """An optimizer's settings and state, its parameters as places in the model's list."""
    if type(optimizer) not in OPTIMIZERS.values():
        raise TypeError(f"an optimizer that can be saved is one of {', '.join(OPTIMIZERS)}, not {optimizer!r}")
    place = {parameter: i for i, parameter in enumerate(model.parameters())}
    if any(parameter not in place for parameter in optimizer.parameters):
        raise ValueError("the optimizer moves parameters that are not this model's, so they are not saved together")
    settings = {name: getattr(optimizer, name) for name in settings_of(type(optimizer))}
    return {
        "class": type(optimizer).__name__,
        "settings": {**settings, "lr": rate(settings["lr"])},
        "parameters": [place[parameter] for parameter in optimizer.parameters],
        "steps": optimizer.steps,
        "state": {name: json_numbers(array) for name, array in optimizer.state.items()},
        "shuffling": optimizer.shuffling,
    }


def optimizer_of(described: Any, model: Any) -> Optimizer:
    """The optimizer that a file describes."""
    import numpy as np

    parameters, settings = model.parameters(), dict(described["settings"])
    settings["lr"] = rate_of(settings["lr"])
    kind = OPTIMIZERS[described["class"]]
    optimizer = kind([parameters[i] for i in described["parameters"]], **settings)
    optimizer.steps = int(described["steps"])
    optimizer.state = {name: array_of(array, name) for name, array in described["state"].items()}
    if any(array.shape != (len(optimizer.parameters),) for array in optimizer.state.values()):
        raise ValueError("the optimizer's state does not fit its parameters")
    optimizer.shuffling = described["shuffling"]
    if optimizer.shuffling is not None:
        np.random.default_rng(0).bit_generator.state = optimizer.shuffling["generator"]  # raises if it cannot be
    return optimizer


def settings_of(kind: type[Optimizer]) -> list[str]:
    """The names of an optimizer's settings."""
    return [name for name in inspect.signature(kind).parameters if name != "parameters"]


def rate(lr: Any) -> Any:
    """A learning rate as JSON has it."""
    if not callable(lr):
        return lr
    if not isinstance(lr, (LinearDecay, CosineDecay, Warmup)):
        raise TypeError(
            f"a learning rate is saved where it is a number or one of {', '.join(SCHEDULES)}; {lr!r} is a function of "
            "your own: assign optimizer.lr = 0.0 to save, and it again after loading"
        )
    return {"kind": type(lr).__name__, **{field.name: rate(getattr(lr, field.name)) for field in fields(lr)}}


def rate_of(described: Any) -> Any:
    """The learning rate that a file describes."""
    if not isinstance(described, dict):
        return described
    return SCHEDULES[described["kind"]](**{k: rate_of(v) for k, v in described.items() if k != "kind"})


# PyTorch ------------------------------------------------------------------------------------------------------------

# PyTorch's layer for each activation, with its settings. Its Softplus cuts to a straight line above the threshold, by
# default at 20, which is too early for float64.
TORCH_LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("ReLU", {}),
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
    "leaky_relu": ("LeakyReLU", {}),
    "elu": ("ELU", {}),
    "gelu": ("GELU", {}),
    "silu": ("SiLU", {}),
    "softplus": ("Softplus", {"threshold": 40}),
    "softsign": ("Softsign", {}),
}


def to_torch(model: MLP | Layer) -> Any:
    """The equal `torch.nn.Sequential`, in float64.

    Raises:
        ImportError: where PyTorch is not installed.
        ValueError: for an activation that PyTorch has no layer for.
    """
    if not isinstance(model, (MLP, Layer)):
        raise TypeError(f"to_torch takes an MLP or a Layer, not {model!r}")
    torch = imported_torch()
    modules: list[Any] = []
    for layer in [model] if isinstance(model, Layer) else model.layers:
        linear = torch.nn.Linear(layer.n_in, layer.n_out, dtype=torch.float64)
        linear.load_state_dict({name: torch.from_numpy(array) for name, array in layer.state_dict().items()})
        modules.append(linear)
        if layer.activation != "linear":
            if layer.activation not in TORCH_LAYERS:
                raise ValueError(f"torch.nn has no layer for the activation {layer.activation!r}")
            name, settings = TORCH_LAYERS[layer.activation]
            modules.append(getattr(torch.nn, name)(**settings))
    return torch.nn.Sequential(*modules)


def from_torch(sequential: Any) -> MLP:
    """The equal MLP of a `torch.nn.Sequential` of Linear layers, each followed by at most one activation.

    Its weights can be loaded into another model: `model.load_state_dict(from_torch(sequential).state_dict())`.

    Raises:
        ValueError: for anything else in the Sequential, activations with settings of their own included.
    """
    torch = imported_torch()
    if not isinstance(sequential, torch.nn.Sequential):
        raise TypeError(f"from_torch takes a torch.nn.Sequential, not {sequential!r}")
    layers: list[Layer] = []
    for module in sequential:
        activation = activation_of(module, torch)
        if isinstance(module, torch.nn.Linear):
            layer = Layer(module.in_features, module.out_features, "linear")
            bias = torch.zeros(module.out_features) if module.bias is None else module.bias
            state = {"weight": module.weight, "bias": bias}
            layer.load_state_dict(state)
            layers.append(layer)
        elif activation and layers and layers[-1].activation == "linear":
            for neuron in layers[-1].neurons:
                neuron.activation = activation
        else:
            raise ValueError(
                f"an MLP is made of Linear layers, each followed by at most one of {', '.join(TORCH_LAYERS)} with its "
                f"default settings; {module} does not fit"
            )
    return mlp_of(layers)


def activation_of(module: Any, torch: Any) -> str:
    """Our name for an activation of PyTorch's, or an empty string if we have none with its settings."""

    def settings(module: Any) -> dict[str, Any]:
        return {k: v for k, v in vars(module).items() if k[0] != "_" and k not in ("training", "inplace")}

    for name, (layer, special) in TORCH_LAYERS.items():
        kind = getattr(torch.nn, layer)
        if type(module) is kind and settings(module) in (settings(kind()), settings(kind(**special))):
            return name
    return ""


def imported_torch() -> Any:
    """PyTorch, or an error that says how to get it."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ImportError("this needs PyTorch: pip install torch") from None
    return torch
