"""A scalar autograd engine: values that know what they were computed from, and how fast they change with each.

>>> from autograd import Value, tanh
>>> w, a, b = Value(0.5, label="w"), Value(2.0, label="a"), Value(-1.0, label="b")
>>> C = (tanh(w * a + b) - 1) ** 2
>>> C.backward()
>>> C.data, w.grad, b.grad
(1.0, -4.0, -2.0)
"""

import os
from collections.abc import Callable
from typing import Any

import autograd.show  # noqa: F401  (puts the notebook views in place)
from autograd.calculus.checking import gradcheck
from autograd.calculus.gradients import gradients
from autograd.calculus.transforms import count_multiplications, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.compiler import compile
from autograd.core.graph import zero_grad
from autograd.core.table import PRIMITIVES
from autograd.core.value import Value, function, primitive, softmax
from autograd.drawing.draw import draw
from autograd.drawing.exercise import exercise, exercises
from autograd.drawing.play import play
from autograd.drawing.playground import playground
from autograd.explaining.explain import explain
from autograd.explaining.nudge import nudge
from autograd.explaining.paths import paths

_foreign = [
    name for name in ("tracer.py", "differential_operators.py", "numpy") if os.path.exists(f"{__path__[0]}/{name}")
]
if _foreign:
    raise ImportError(
        f"{os.path.join(__path__[0], _foreign[0])} belongs to HIPS autograd, the PyPI package `autograd`, "
        "which has the same import name as glassgrad. The two cannot share an environment: "
        "run `pip uninstall autograd`, then `pip install --force-reinstall glassgrad`, or use two virtual environments."
    )

# Every row but the operators, and abs, which Python has
FUNCTIONS = tuple(name for name, row in PRIMITIVES.items() if not row.infix and name != "abs")

__all__ = [
    "Value",
    "compile",
    "count_multiplications",
    "draw",
    "exercise",
    "exercises",
    "explain",
    "grad",
    "gradcheck",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "nudge",
    "paths",
    "play",
    "playground",
    "primitive",
    "softmax",
    "value_and_grad",
    "vjp",
    "zero_grad",
]
__all__ += FUNCTIONS


def __getattr__(name: str) -> Callable[..., Any]:
    """The functions of the table, each made when it is first used."""
    if name in FUNCTIONS:
        return function(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
