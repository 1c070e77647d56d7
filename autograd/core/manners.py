"""Manners: what operands may be; errors and warnings that say what was given, what is accepted, what to use."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
import numbers
import sys
import warnings
from contextvars import ContextVar

from autograd.core.graph import topological_order
from autograd.core.table import PRIME, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from autograd.core.table import Row


def number(x: Any, name: str) -> float:
    """The float that one real number is worth; a TypeError that teaches for anything else."""
    if isinstance(x, (int, float)):
        try:
            return float(x)
        except OverflowError:
            raise OverflowError(
                f"{name} takes numbers that a float can hold, not one of {int(x).bit_length()} bits"
            ) from None
    if getattr(getattr(x, "dtype", None), "kind", "") in tuple("fiub") and x.shape == ():
        return float(x)
    given, kind, advice = repr(x), type(x).__name__, "convert it with float(...) first"
    if hasattr(x, "_data"):
        advice = "this is a Value already: use it as it is, or its .data"
    elif isinstance(x, (list, tuple, set, dict)) or hasattr(x, "shape"):
        advice = "make a Value of each number, [Value(x) for x in ...]; functions apply to one number at a time"
    elif isinstance(x, complex):
        advice = "complex numbers are not supported"
    elif x is None:
        advice = "is a return statement missing?"
    given = given if len(given) < 60 else given[:57] + "..."
    raise TypeError(f"{name} takes one real number (int, float, bool, NumPy scalar), not {given} ({kind}): {advice}")


def text(label: Any) -> str:
    """A label; a TypeError for anything but text."""
    if not isinstance(label, str):
        raise TypeError(f"a label is a str, not {label!r}")
    return label


def datum(x: Any, name: str) -> float:
    """What an operand is worth, Value or plain number."""
    return x._data if hasattr(x, "_data") else number(x, name)


def takes_over(x: Any) -> bool:
    """Whether an operand may know the operator itself, as a NumPy array does."""
    return getattr(x, "shape", ()) != () or (
        hasattr(x, "__radd__") and not hasattr(x, "_data") and not isinstance(x, numbers.Number)
    )


def comparand(other: Any) -> Any:
    """What a Value is compared with, a number; NotImplemented for what may know the comparison itself."""
    return NotImplemented if takes_over(other) else settled(datum(other, "a comparison"), "a comparison")


def listed(xs: Any, name: str) -> list[Any]:
    """The operands of a function of many, as a list."""
    given: Any = xs
    if isinstance(xs, (str, bytes, dict)) or not hasattr(xs, "__iter__") or getattr(xs, "shape", None) == ():
        raise TypeError(f"{name} takes one iterable of Values or numbers, as in {name}([a, b, c]), not {given!r}")
    return list(given)


def operands(row: Row, arguments: Sequence[Any], named: Mapping[str, Any]) -> Iterator[Any]:
    """The operands of a call one after the other, lists taken apart, plain numbers as floats."""
    given: dict[str, Any] = {**row.defaults, **dict(zip(row.operands, arguments)), **named}
    if len(arguments) > len(row.operands) or set(given) != set(row.operands):
        raise TypeError(f"{row.name} takes the operands {', '.join(row.operands)}")
    given |= {xs: listed(given[xs], row.name) for xs in row.lists}
    lengths = [len(given[xs]) for xs in row.lists]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"{row.name} needs as many {row.lists[1]} as {row.lists[0]}: "
            f"{lengths[0]} {row.lists[0]}, {lengths[1]} {row.lists[1]}"
        )
    if lengths and not lengths[0] and row.name not in ("sum", "prod"):
        raise ValueError(f"{row.name} of nothing has no value: it needs at least one operand")
    for x in row.operands:
        for item in given[x] if x in row.lists else (given[x],):
            yield item if hasattr(item, "_data") else number(item, row.name)


def described(name: str, operands: Sequence[Any]) -> str:
    """`x = -0.3 (label 'p')` for each operand, at most four of them."""
    parts: list[str] = []
    for operand, group in TABLE[name].grouped(operands).items():
        listed = operand in TABLE[name].lists
        for i, x in enumerate(group if listed else [group]):
            place = f"{operand[:-1]}[{i}]" if listed else operand
            label = getattr(x, "label", "")
            parts.append(f"{place} = {datum(x, name)!r}" + f" (label {label!r})" * bool(label))
    return ", ".join(parts[:4] + ["..."] * (len(parts) > 4))


def failure(name: str, operands: Sequence[Any], error: Exception) -> Exception:
    """The error for operands outside the domain of an operation, of the same type as Python's own."""
    reasons: dict[type, str] = {OverflowError: "overflows", ZeroDivisionError: "divides by zero"}
    reason = reasons.get(type(error), "is not defined")
    return type(error)(f"{name} {reason} at {described(name, operands)}")


def refuse_nan(name: str, operands: Sequence[Any]) -> None:
    """Raise when an operation makes a nan of operands that are none; a nan among the data passes through.

    So does what follows from an infinite slope, as in the backward pass on floats.
    """
    if not any(math.isnan(datum(x, name)) for x in operands) and not any(map(is_infinite_slope, operands)):
        raise ValueError(f"{name} is not a number (nan) at {described(name, operands)}")


def is_infinite_slope(x: Any) -> bool:
    """Whether an operand is infinite because a slope is, which it was computed from."""
    return math.isinf(getattr(x, "_data", 0.0)) and any(
        PRIME in node.op and not math.isfinite(node._data) for node in topological_order(x)
    )


# Warnings ----------------------------------------------------------------------------------------------------------


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
            f"not finite is {located(node)}. Look at the data, scale them, or use a stable form "
            "(logsumexp, log1p, softplus)"
        )
    elif not math.isfinite(sum(gradient.values())) and not all(map(math.isfinite, gradient.values())):
        warn(next(filter(None, (cause(node, upstream) for node, upstream in reversed(gradient.items())))))


def cause(node: Any, upstream: float) -> str:
    """Why a gradient that is not finite arises at a node whose own gradient is `upstream`; nothing if it does not."""
    if not math.isfinite(upstream):
        return f"the gradient of {located(node)} is {upstream}: the contributions of its paths have no finite sum"
    for parent, partial in zip(node.parents, node.partials):
        if not math.isfinite(upstream * partial):
            return (
                f"the gradient of {located(parent)} is {upstream * partial}. It arose in {located(node)}: "
                f"gradient {upstream} times local derivative {partial}"
            )
    return ""


def located(node: Any) -> str:
    """A node as a sentence names it: by its label, its operation and its operands."""
    name = f"{node.label!r}, " * bool(node.label)
    return f"{name}{node.op} at {described(node.op, node.operands)}" if node.op else f"{name}a leaf of {node._data}"


# While functions are differentiated or compiled --------------------------------------------------------------------

_recording: ContextVar[str] = ContextVar("recording", default="")  # "differentiated", "compiled"; of one thread


recordings: list[str] = []  # those under way in any thread, which is quicker to look at


class _Recording:
    """A stretch of a program in which what a Value is worth at present must not be taken for its result."""

    def __init__(self, purpose: str):
        self.purpose = purpose

    def __enter__(self) -> None:
        recordings.append(self.purpose)
        self.token = _recording.set(_recording.get() if _recording.get() == "compiled" else self.purpose)

    def __exit__(self, *error: object) -> None:
        _recording.reset(self.token)
        recordings.remove(self.purpose)


def tracing() -> _Recording:
    """Refuse, within this context and thread, whatever would freeze a Value's present data into a recorded program."""
    return _Recording("compiled")


def differentiating() -> _Recording:
    """Refuse, within this context and thread, what would cut a derivative off: `float` and `int` of a Value."""
    return _Recording("differentiated")


def is_recording() -> bool:
    """Whether this thread is within a function that is being differentiated or compiled."""
    return bool(_recording.get())


def is_tracing() -> bool:
    """Whether this thread is recording a program."""
    return _recording.get() == "compiled"


def settled(data: Any, conversion: str) -> Any:
    """The data, refused where they would stand for a function's result, without its derivative."""
    purpose = _recording.get()
    if purpose == "compiled":
        raise TypeError(
            f"{conversion} of a Value inside a function that is being compiled: its result would be frozen into the "
            "program. Use where(a - b, x, y) to choose x where a > b, and maximum, minimum, relu, clip or step for the "
            "common cases."
        )
    if purpose and conversion in ("float", "int", "round"):
        raise TypeError(
            f"{conversion} of a Value inside a function that is being differentiated: its derivative would be lost. "
            "Use autograd's functions (autograd.exp instead of math.exp), and a list or an array of objects to keep "
            "Values in; x.data is the number where no derivative is wanted."
        )
    return data
