"""Keeping a model: one JSON file with its architecture and every number, and the way to and from PyTorch.

JSON, because anyone can read it, nothing in it can be executed, and Python writes each float in the shortest digits
that give back the same bits. A digest over the content tells a file that was damaged or changed.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import secrets
from pathlib import Path
from typing import Any

from nn.layers import MLP, Layer, Neuron
from nn.module import Module

FORMAT = "glassgrad model 1"


def save(model: Neuron | Layer | MLP, path: str | os.PathLike[str]) -> None:
    """Write a model to a file, from which `load` makes an equal one, to the bit.

    The file appears complete or not at all: it is written beside the path and then moved there.

    Raises:
        TypeError: for a model of another class, whose architecture cannot be known; keep its `state_dict()`.
    """
    text = serialized(model)
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Any:
    """The model in a file that `save` wrote: a Neuron, a Layer or an MLP.

    Raises:
        ValueError: for a file that is not one of ours, or was damaged or changed. Nothing in it is executed.
    """
    content = Path(path).read_bytes()
    try:
        text = content.decode("utf-8")
        document = json.loads(text)
        model = rebuilt(document)
        intact = serialized(model) == text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(f"{os.fspath(path)} is not a model that nn.save wrote, or it is damaged: {error}") from None
    if not intact:
        raise ValueError(f"{os.fspath(path)} was changed since nn.save wrote it: its content does not fit its digest")
    return model


def serialized(model: Any) -> str:
    """The text of a model's file."""
    content = {"model": architecture(model), "parameters": {k: v.tolist() for k, v in model.state_dict().items()}}
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return json.dumps({"format": FORMAT, "sha256": digest, **content}, indent=1) + "\n"


def rebuilt(document: Any) -> Any:
    """The model that a file describes."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    described, parameters = document["model"], document["parameters"]
    kinds = {"Neuron": built_neuron, "Layer": built_layer, "MLP": built_mlp}
    model = kinds[described["class"]](described, parameters)
    model.load_state_dict(parameters)
    return model


def built_neuron(described: Any, parameters: Any) -> Neuron:
    """A neuron with as many inputs as the file has weights."""
    return Neuron(len(parameters["weight"]), described["activation"])


def built_layer(described: Any, parameters: Any, prefix: str = "") -> Layer:
    """A layer of the shape of its weights in the file, so that a file can ask for no more memory than it has bytes."""
    weight = parameters[f"{prefix}weight"]
    return Layer(len(weight[0]), len(weight), described["activation"])


def built_mlp(described: Any, parameters: Any) -> MLP:
    """An MLP of the layers in the file."""
    return stacked([built_layer(layer, parameters, f"layers.{i}.") for i, layer in enumerate(described["layers"])])


def stacked(layers: list[Layer]) -> MLP:
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
        return {"class": "MLP", "layers": [architecture(layer) for layer in model.layers]}
    advice = "; numpy.savez keeps its state_dict()" if isinstance(model, Module) else ""
    raise TypeError(f"only a Neuron, a Layer or an MLP can be saved whole, not {type(model).__name__}{advice}")


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
    layers: list[Layer] = []
    for module in sequential:
        activation = activation_of(module, torch)
        if isinstance(module, torch.nn.Linear):
            layer = Layer(module.in_features, module.out_features, "linear")
            bias = torch.zeros(module.out_features) if module.bias is None else module.bias
            state = {"weight": module.weight, "bias": bias}
            layer.load_state_dict({name: tensor.detach().cpu().numpy() for name, tensor in state.items()})
            layers.append(layer)
        elif activation and layers and layers[-1].activation == "linear":
            for neuron in layers[-1].neurons:
                neuron.activation = activation
        else:
            raise ValueError(
                f"an MLP is made of Linear layers, each followed by at most one of {', '.join(TORCH_LAYERS)} with its "
                f"default settings; {module} does not fit"
            )
    return stacked(layers)


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
