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

if not hasattr(autograd, "Value"):
    raise ImportError(
        f"nn needs glassgrad's autograd, but `import autograd` found {autograd.__file__}. That is probably HIPS "
        "autograd, the PyPI package `autograd`, which has the same import name. The two cannot share an environment: "
        "run `pip uninstall autograd`, then `pip install --force-reinstall glassgrad`, or use separate virtual "
        "environments."
    )

from nn.layers import MLP, Layer, Neuron
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

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "Layer",
    "Module",
    "Neuron",
    "Optimizer",
    "RMSprop",
    "absolute_error",
    "binary_cross_entropy",
    "clip_gradient_norm",
    "cosine_decay",
    "cross_entropy",
    "hinge",
    "huber",
    "l1_penalty",
    "l2_penalty",
    "linear_decay",
    "mean_squared_error",
    "squared_error",
    "warmup",
]
