"""Compatibility: what NumPy, micrograd, `copy` and `pickle` look for in a Value, put in place as its attributes.

And what gives way to NumPy: an operator whose other operand may know it itself.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copyreg
import numbers
from contextvars import ContextVar

from autograd.core.graph import topological_order
from autograd.core.table import TABLE, Row
from autograd.core.value import Value, apply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def takes_over(x: Any) -> bool:
    """Whether an operand may know the operator itself, as a NumPy array does."""
    return getattr(x, "shape", ()) != () or (
        hasattr(x, "__radd__") and not hasattr(x, "_data") and not isinstance(x, numbers.Number)
    )


def operate(name: str, x: Any, y: Any) -> Any:
    """An operator; NotImplemented where the other operand may know it itself."""
    return NotImplemented if takes_over(x) or takes_over(y) else apply(name, x, y)


def infix(row: Row) -> str:
    """The operator that a row writes between two operands (`+ - * / **`), `-` for a negation, else an empty string."""
    if row.value == f"-{row.operands[0]}":
        return "-"
    parts = row.value.split(" ")
    return parts[1] if len(parts) == 3 and (parts[0], parts[2]) == row.operands else ""


# NumPy's functions of complex numbers, and micrograd's names of a node's parents, operation and backward step


def _itself(value: Value) -> Value:
    """The value itself: it is real."""
    return value


def _sign(value: Value) -> str:
    """The operation as micrograd writes it: `+`, `**2`, `ReLU`."""
    if value.op == "pow":
        return "**" if isinstance(value._y, Value) else f"**{value._y:g}"
    return {"": "", "relu": "ReLU"}.get(value.op) or (infix(TABLE[value.op]) if value.op else "") or value.op


def _hand_on(value: Value) -> None:
    """Add this node's gradient, times the local derivatives, into those of its parents."""
    for parent, partial in zip(value.parents, value.partials):
        parent._grad += partial * value._grad


# Copies and pickles hold the whole graph. A node lists its ancestors first, so that no recursion follows its depth.

_STATE = Value.__slots__[2:]
_copying: ContextVar[bool] = ContextVar("copying", default=False)


class _Ancestors:
    """All nodes before one, as a list that is made while it is copied."""

    def __init__(self, node: Value):
        self.node = node

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (), None, self._in_order()

    def _in_order(self) -> Iterator[Value]:
        token = _copying.set(True)
        try:
            yield from topological_order(self.node)[:-1]
        finally:
            _copying.reset(token)


def _reduce(value: Value) -> tuple[Any, ...]:
    ancestors = None if _copying.get() or not value.parents else _Ancestors(value)
    own = None if type(value) is Value else _in_slots(value)
    attributes = (vars(value), own) if own else vars(value) or None
    return restore, (ancestors, type(value), *[getattr(value, slot) for slot in _STATE]), attributes


def _in_slots(value: Value) -> dict[str, Any]:
    """The attributes for which subclasses have `__slots__`."""
    names = set(copyreg._slotnames(type(value))) - set(Value.__slots__)  # type: ignore[attr-defined]
    return {x: getattr(value, x) for x in names if hasattr(value, x)}


def restore(ancestors: object, kind: type[Value], *state: Any) -> Value:
    """A node as it was pickled, of the class that it had."""
    node: Value = object.__new__(kind)
    for slot, content in zip(_STATE, state):
        setattr(node, slot, content)
    return node


for _name, _attribute in {
    "real": property(_itself),
    "conjugate": _itself,
    "_prev": property(lambda value: set(value.parents)),
    "_op": property(_sign),
    "_backward": _hand_on,
    "__reduce__": _reduce,
    "__pos__": _itself,
    "__format__": lambda value, spec: format(value._data, spec) if spec else repr(value),
}.items():
    setattr(Value, _name, _attribute)
