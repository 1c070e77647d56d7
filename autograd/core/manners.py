"""Manners: what operands may be; errors that say what was given, what is accepted, what to use."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math

from autograd.core.table import TABLE, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any


def number(x: Any, name: str) -> float:
    """The float that one real number is worth; `assigning.py` puts in place what says more of anything else."""
    if isinstance(x, (int, float)):
        return float(x)
    raise TypeError(f"{name} takes one real number, not {x!r}")


def datum(x: Any, name: str) -> float:
    """What an operand is worth, Value or plain number."""
    return x._data if hasattr(x, "_made") else number(x, name)


def listed(xs: Any, name: str) -> list[Any]:
    """The operands of a function of many, as a list."""
    if isinstance(xs, (str, bytes, dict)) or not hasattr(xs, "__iter__") or getattr(xs, "shape", None) == ():
        raise TypeError(f"{name} takes one iterable of Values or numbers, as in {name}([a, b, c]), not {xs!r}")
    return list(xs)


def operands(row: Row, arguments: Sequence[Any], named: Mapping[str, Any]) -> Iterator[Any]:
    """The operands of a call one after the other, lists taken apart, plain numbers as floats."""
    given: dict[str, Any] = {**row.defaults, **dict(zip(row.operands, arguments)), **named}
    if len(arguments) > len(row.operands) or set(given) != set(row.operands):
        raise TypeError(f"{row.name} takes the operands {', '.join(row.operands)}")
    given |= {xs: listed(given[xs], row.name) for xs in row.lists}
    lengths = {xs: len(given[xs]) for xs in row.lists}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{n} {xs}" for xs, n in lengths.items())
        raise ValueError(f"{row.name} needs as many {row.lists[1]} as {row.lists[0]}: {counts}")
    if 0 in lengths.values() and row.name not in ("sum", "prod"):
        raise ValueError(f"{row.name} of nothing has no value: it needs at least one operand")
    for x in row.operands:
        for item in given[x] if x in row.lists else (given[x],):
            yield item if hasattr(item, "_made") else number(item, row.name)


def described(name: str, operands: Sequence[Any]) -> str:
    """`x = -0.3 (label 'p')` for each operand, at most four of them."""
    row, parts = TABLE[name], list[str]()
    for operand, group in row.grouped(operands).items():
        for i, x in enumerate(group if operand in row.lists else [group]):
            place = f"{operand[:-1]}[{i}]" if operand in row.lists else operand
            label = getattr(x, "label", "")
            parts.append(f"{place} = {datum(x, name)!r}" + f" (label {label!r})" * bool(label))
    return ", ".join(parts[:4] + ["..."] * (len(parts) > 4))


def failure(row: Row, operands: Sequence[Any], error: Exception) -> Exception:
    """The error for operands outside the domain of an operation, of the same type as Python's own."""
    if row.domain:  # it is the operation that this is a slope of that has no value there
        groups, row = row.grouped(operands), TABLE[row.domain]
        operands = [groups[x] for x in row.operands]
    reasons = {"OverflowError": "overflows", "ZeroDivisionError": "divides by zero"}
    reason = reasons.get(type(error).__name__, "is not defined")
    return type(error)(f"{row.name} {reason} at {described(row.name, operands)}")


def refuse_nan(name: str, operands: Sequence[Any]) -> None:
    """Raise when an operation makes a nan of operands that are none; a nan among the data passes through."""
    if not any(math.isnan(datum(x, name)) for x in operands):
        raise ValueError(f"{name} is not a number (nan) at {described(name, operands)}")
