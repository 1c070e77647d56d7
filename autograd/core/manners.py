"""Manners: what operands may be; errors that say what was given, what is accepted, what to use."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
import numbers

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
    return NotImplemented if takes_over(other) else datum(other, "a comparison")


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
