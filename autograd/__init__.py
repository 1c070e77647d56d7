"""A scalar autograd engine: values that know what they were computed from, and how fast they change with each.

>>> from autograd import Value, tanh
>>> w, a, b = Value(0.5, label="w"), Value(2.0, label="a"), Value(-1.0, label="b")
>>> C = (tanh(w * a + b) - 1) ** 2
>>> C.backward()
>>> C.data, w.grad, b.grad
(1.0, -4.0, -2.0)
"""
# What lies in other rooms is in the stub beside this file.
# pyright: reportUnsupportedDunderAll=false

# What stands around the core puts itself in place
from autograd import assigning as assigning
from autograd import cautions as cautions
from autograd import compatibility as compatibility
from autograd import fast as fast
from autograd import recording as recording
from autograd.compatibility import infix
from autograd.core.table import TABLE as PRIMITIVES
from autograd.core.table import OnDemand
from autograd.core.value import OPERATIONS, Value
from autograd.operations import log_softmax, primitive, softmax, sum, zero_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"


def _derived(name: str) -> "Any":
    """The row of a slope."""
    from autograd.calculus.slopes import derive

    return derive(name)


PRIMITIVES.slopes = OnDemand(_derived)

# Where the other public names are at home; a room is entered when one of them is first used
_HOMES = {
    "calculus.checking": "gradcheck",
    "calculus.gradients": "gradients",
    "calculus.transforms": "count_multiplications grad hessian hvp jacobian jvp value_and_grad vjp",
    "compiler": "compile",
    "drawing.draw": "draw",
    "drawing.exercise": "exercise exercises",
    "drawing.play": "play",
    "drawing.playground": "playground",
    "explaining.explain": "explain",
    "explaining.nudge": "nudge",
    "explaining.paths": "paths",
}
_HOME = {name: f"autograd.{home}" for home, names in _HOMES.items() for name in names.split()}

# Every row but the operators, and abs, which Python has
FUNCTIONS = tuple(name for name, row in PRIMITIVES.items() if not infix(row) and name != "abs")

# All public names but `compile`, which would take the place of Python's
__all__ = [
    "Value",
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
    "log_softmax",
    "nudge",
    "paths",
    "play",
    "playground",
    "primitive",
    "softmax",
    "sum",
    "value_and_grad",
    "vjp",
    "zero_grad",
]
__all__ += [name for name in FUNCTIONS if name != "sum"]


def __getattr__(name: str) -> "Any":
    """The functions of the table, and what lies in other rooms, when they are first used."""
    if name in _HOME:
        import importlib

        if _HOME[name].startswith(("autograd.explaining", "autograd.drawing", "autograd.calculus.checking")):
            importlib.import_module("autograd.show")
        globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
        return globals()[name]
    if name in FUNCTIONS:
        return OPERATIONS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "compile"})


def _shown(self: Value, include: "Any" = None, exclude: "Any" = None) -> "Any":
    """What a notebook shows of a Value; `autograd.show` puts its own method in the place of this one."""
    import autograd.show  # noqa: F401

    return getattr(self, "_repr_mimebundle_")(include, exclude)  # noqa: B009


Value._repr_mimebundle_ = _shown  # type: ignore[attr-defined]
