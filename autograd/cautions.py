"""Cautions: what a backward pass warns of: data assigned since the graph was computed, and slopes that are no numbers.

`backward` is put in place here, that of the core with what is noticed beside it.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
import sys
import warnings
from _thread import allocate_lock

from autograd.assigning import stale
from autograd.core import manners
from autograd.core.graph import topological_order
from autograd.core.manners import described
from autograd.core.table import PRIME
from autograd.core.value import Value, accumulate
from autograd.recording import is_tracing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_accumulating = allocate_lock()  # backward passes of several threads may share leaves


def warn(message: str) -> None:
    """A RuntimeWarning at the first line that is not this package's own."""
    warnings.warn(message, RuntimeWarning, stacklevel=outside())


def outside() -> int:
    """The stacklevel, for a warning issued by the caller, of the first frame that is not this package's own."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "autograd":
        frame, level = frame.f_back, level + 1
    return level


def warn_of_nan(gradient: dict[Any, float]) -> None:
    """Issue a RuntimeWarning if the cost or a gradient is nan or infinite, naming the node where that arose.

    `gradient` lists the nodes in topological order; the last is the cost.
    """
    if is_tracing():  # the data of a recorded program are not settled yet
        return
    cost: Any = next(reversed(gradient))
    if not math.isfinite(cost._data):
        node = next(node for node in gradient if not math.isfinite(node._data))
        warn(
            f"backward from a cost that is {cost._data}, so its gradients are no guide. The first value that is "
            f"not finite is {node_in_words(node)}. Look at the data, scale them, or use a stable form "
            "(logsumexp, log1p, softplus)"
        )
    elif not math.isfinite(sum(gradient.values())) and not all(map(math.isfinite, gradient.values())):
        warn(next(filter(None, (cause(node, upstream) for node, upstream in reversed(gradient.items())))))


def cause(node: Any, upstream: float) -> str:
    """Why a gradient that is not finite arises at a node whose own gradient is `upstream`; nothing if it does not."""
    if not math.isfinite(upstream):
        return f"the gradient of {node_in_words(node)} is {upstream}: the contributions of its paths have no finite sum"
    for parent, partial in zip(node.parents, node.partials):
        if not math.isfinite(upstream * partial):
            return (
                f"the gradient of {node_in_words(parent)} is {upstream * partial}. It arose in {node_in_words(node)}: "
                f"gradient {upstream} times local derivative {partial}"
            )
    return ""


def node_in_words(node: Any) -> str:
    """A node as a sentence names it: by its label, its operation and its operands."""
    name = f"{node.label!r}, " * bool(node.label)
    return f"{name}{node.op} at {described(node.op, node.operands)}" if node.op else f"{name}a leaf of {node._data}"


def backward(self: Value, gradient: float = 1.0) -> None:
    """Add d self / d leaf into the gradient of every leaf; set the gradient of every other node on the way.

    Leaves accumulate over calls, as in PyTorch: call `zero_grad` before the next step. All is multiplied by
    `gradient`, as if it were d cost / d self.

    Warns:
        RuntimeWarning: a gradient is nan or infinite, naming the node where that arose; or the graph has been walked
            before and its leaves have been assigned since it was computed: `refresh()` computes it anew.
    """
    if self._grad and (leaves := stale(self)):
        names = ", ".join(leaf.label or repr(leaf) for leaf in leaves[:4])
        names += f" and {len(leaves) - 4} more" * (len(leaves) > 4)
        warn(
            f"backward once more through a graph that was computed before the data of {names} were assigned: its "
            "values and derivatives are those of the old data. Build the cost again, or call its refresh()"
        )
    with _accumulating:
        gradients = accumulate(self, gradient)
    warn_of_nan(gradients)


_refuse_nan = manners.refuse_nan


def refuse_nan(name: str, operands: Sequence[Any]) -> None:
    """Raise when an operation makes a nan of operands that are none; a nan among the data passes through.

    So does what follows from an infinite slope, as in the backward pass on floats.
    """
    try:
        _refuse_nan(name, operands)
    except ValueError:
        if not any(map(is_infinite_slope, operands)):
            raise


def is_infinite_slope(x: Any) -> bool:
    """Whether an operand is infinite because a slope is, which it was computed from."""
    return math.isinf(getattr(x, "_data", 0.0)) and any(
        PRIME in node.op and not math.isfinite(node._data) for node in topological_order(x)
    )


manners.refuse_nan = refuse_nan
setattr(Value, "backward", backward)  # noqa: B010
