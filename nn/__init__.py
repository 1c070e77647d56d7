"""Neural networks on autograd's Values: neurons, layers, multilayer perceptrons, and what trains them.

>>> from nn import MLP, SGD, squared_error
>>> model = MLP(2, [4, 1], "tanh", seed=0)
>>> optimizer = SGD(model.parameters(), lr=0.1)
>>> for step in range(100):
...     C = squared_error(model([1.0, -1.0]), 0.5)
...     optimizer.zero_grad()
...     C.backward()
...     optimizer.step()
>>> round(C.data, 6)
0.0
"""

import autograd

TYPE_CHECKING = False  # to import `typing` takes time
if TYPE_CHECKING:
    from typing import Any

    from nn.data import (
        IRIS_CLASSES,
        IRIS_FEATURES,
        StandardScaler,
        circles,
        digits,
        iris,
        line,
        moons,
        one_hot,
        spirals,
        standardize,
        train_test_split,
        xor,
    )
    from nn.diagnosis import health
    from nn.evaluation import accuracy, classify, confusion_matrix, predict, r2, summary
    from nn.history import History
    from nn.layers import MLP, Layer, Neuron
    from nn.live import Live
    from nn.losses import (
        absolute_error,
        binary_cross_entropy,
        cross_entropy,
        hinge,
        huber,
        l1_penalty,
        l2_penalty,
        mean_squared_error,
        squared_error,
    )
    from nn.module import Module
    from nn.optimizers import (
        SGD,
        Adam,
        AdamW,
        Optimizer,
        RMSprop,
        clip_gradient_norm,
        cosine_decay,
        linear_decay,
        warmup,
    )
    from nn.panel import Panel
    from nn.plots import (
        Stages,
        plot_activations,
        plot_confusion,
        plot_decision_boundary,
        plot_histograms,
        plot_history,
        plot_images,
    )
    from nn.storage import from_torch, load, save, to_torch
    from nn.training import fit

if not hasattr(autograd, "Value"):
    raise ImportError(
        f"nn needs glassgrad's autograd, but `import autograd` found {autograd.__file__}. That is probably HIPS "
        "autograd, the PyPI package `autograd`, which has the same import name. The two cannot share an environment: "
        "run `pip uninstall autograd`, then `pip install --force-reinstall glassgrad`, or use separate virtual "
        "environments."
    )

# Where the public names are at home; a module is loaded when one of its names is first used
_HOMES = {
    "data": (
        "IRIS_CLASSES IRIS_FEATURES StandardScaler circles digits iris line moons one_hot spirals standardize "
        "train_test_split xor"
    ),
    "diagnosis": "health",
    "estimators": "MLPClassifier MLPRegressor",
    "evaluation": "accuracy classify confusion_matrix predict r2 summary",
    "history": "History",
    "layers": "MLP Layer Neuron",
    "live": "Live",
    "losses": (
        "absolute_error binary_cross_entropy cross_entropy hinge huber l1_penalty l2_penalty mean_squared_error "
        "squared_error"
    ),
    "module": "Module",
    "optimizers": "SGD Adam AdamW Optimizer RMSprop clip_gradient_norm cosine_decay linear_decay warmup",
    "panel": "Panel",
    "plots": ("Stages plot_activations plot_confusion plot_decision_boundary plot_histograms plot_history plot_images"),
    "storage": "from_torch load save to_torch",
    "training": "fit",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "IRIS_CLASSES",
    "IRIS_FEATURES",
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "History",
    "Layer",
    "Live",
    "Module",
    "Neuron",
    "Optimizer",
    "Panel",
    "RMSprop",
    "Stages",
    "StandardScaler",
    "absolute_error",
    "accuracy",
    "binary_cross_entropy",
    "circles",
    "classify",
    "clip_gradient_norm",
    "confusion_matrix",
    "cosine_decay",
    "cross_entropy",
    "digits",
    "fit",
    "from_torch",
    "health",
    "hinge",
    "huber",
    "iris",
    "l1_penalty",
    "l2_penalty",
    "line",
    "linear_decay",
    "load",
    "mean_squared_error",
    "moons",
    "one_hot",
    "plot_activations",
    "plot_confusion",
    "plot_decision_boundary",
    "plot_histograms",
    "plot_history",
    "plot_images",
    "predict",
    "r2",
    "save",
    "spirals",
    "squared_error",
    "standardize",
    "summary",
    "to_torch",
    "train_test_split",
    "warmup",
    "xor",
]


def __getattr__(name: str) -> "Any":
    """A public name or a module, loaded when it is first asked for; the estimators need scikit-learn."""
    import importlib

    if name in _HOME:
        globals()[name] = getattr(importlib.import_module(f"nn.{_HOME[name]}"), name)
        return globals()[name]
    if name in _HOMES:
        return importlib.import_module(f"nn.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
