"""Assigning: what may be the data, the gradient or the label of a Value; graphs computed before their leaves' data.

What looks at a number that is given, and says what to give instead, is put in place here, with `refresh`.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import itertools

from autograd.core import manners
from autograd.core.graph import topological_order
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS, Value
from autograd.recording import data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

# What may be given -------------------------------------------------------------------------------------------------

_number = manners.number


def number(x: Any, name: str) -> float:
    """The float that one real number is worth; a TypeError that teaches for anything else."""
    try:
        is_scalar = getattr(getattr(x, "dtype", None), "kind", "") in tuple("fiub") and x.shape == ()
        if is_scalar and getattr(x, "mask", False):
            raise TypeError  # `np.ma.masked` would be nan
        return _number(float(x) if is_scalar else x, name)
    except OverflowError:
        message = f"{name} takes numbers that a float can hold, not one of {int(x).bit_length()} bits"
        raise OverflowError(message) from None
    except TypeError:
        given = repr(x) if len(repr(x)) < 60 else repr(x)[:57] + "..."
        raise TypeError(
            f"{name} takes one real number (int, float, bool, NumPy scalar), not {given} ({type(x).__name__}): "
            f"{advice(x)}"
        ) from None


def is_iterable(x: Any) -> bool:
    """Whether something can be gone through; a NumPy scalar only looks as if."""
    return hasattr(x, "__iter__") and getattr(x, "shape", None) != ()


def taken_out(x: Any) -> Any:
    """The Value that an array without dimensions holds, such as `np.tensordot` gives; anything else as it is."""
    return x.item() if getattr(getattr(x, "dtype", None), "kind", "") == "O" and x.shape == () else x


def advice(x: Any) -> str:
    """What to do instead of giving something that is no number."""
    if taken_out(x) is not x:
        return "take it out of its array, by x.item()"
    if hasattr(x, "_made"):
        return "this is a Value already: use it as it is, or its .data"
    if getattr(x, "shape", None) == () and getattr(x, "mask", False):
        return "it is masked, and has no value; math.nan stands for a number that is missing"
    if isinstance(x, (list, tuple, set, dict)) or hasattr(x, "shape"):
        return "make a Value of each number, [Value(x) for x in ...]; functions apply to one number at a time"
    if isinstance(x, complex):
        return "complex numbers are not supported"
    return "is a return statement missing?" if x is None else "convert it with float(...) first"


def _assign_label(value: Value, label: Any) -> None:
    if not isinstance(label, str):
        raise TypeError(f"a label is a str, not {label!r}")
    value._made = value._made[0], label


def _gradient(value: Value) -> float:
    """d cost / d value: 0.0 until a backward pass reaches the value."""
    return value._grad


def _assign_gradient(value: Value, gradient: Any) -> None:
    value._grad = gradient if type(gradient) is float else number(gradient, "Value.grad")


# Data assigned after a graph was computed --------------------------------------------------------------------------

_changes = itertools.count(1)
last_change = [0]  # differs after any assignment of data: a compiled program reads its leaves again only then


def set_data(values: Iterable[Value], data: Iterable[float]) -> None:
    """Set the data of many Values at once, as `leaf.data = x` does it for one."""
    change = next(_changes)
    for value, worth in zip(values, data):
        value._data = worth
        if value._x is None:
            value._dx = change
    last_change[0] = change


def _assign(value: Value, data: Any) -> None:
    value._data = data if type(data) is float else number(data, "Value.data")
    last_change[0] = change = next(_changes)
    if value._x is None:
        value._dx = change


def assigned_at(value: Value) -> int:
    """When the data of a leaf were last assigned, counted in assignments; 0 if never, or if it is no leaf."""
    return value._dx or 0 if value._x is None else 0


def again(op: str, operands: Sequence[Any]) -> Any:
    """An operation of the table on operands as a node lists them."""
    return OPERATIONS[op](*TABLE[op].grouped(operands).values())


def agrees(node: Value) -> bool:
    """Whether a node is what its operation makes of the present data of its operands."""
    try:
        present = again(node.op, node.operands)
    except (ArithmeticError, ValueError):
        return False
    then, now = (node._data, *node.partials), (present._data, *present.partials)
    return then == now or all(a == b or (a != a and b != b) for a, b in zip(then, now))  # nan is what it was


def stale(cost: Value) -> list[Value]:
    """The leaves whose data were assigned since the nodes were computed that depend on them.

    A node is computed once more to see it. Where several of its parents were assigned, the last of them was so since,
    and with it whatever was assigned after the first of these.
    """
    found = []
    for node in topological_order(cost):
        assigned = [parent for parent in node.parents if assigned_at(parent)]
        if assigned and not agrees(node):
            found.append(assigned)
    since = min((max(map(assigned_at, assigned)) for assigned in found), default=0)
    return list(dict.fromkeys(leaf for assigned in found for leaf in assigned if assigned_at(leaf) >= since))


def refresh(self: Value) -> Value:
    """This value, computed anew with all nodes before it, in place, from the present data of the leaves.

    Raises:
        ValueError, ArithmeticError: some node has no value there. Then none is changed.

    >>> w = Value(2.0)
    >>> cost = w * w
    >>> w.data = 3.0
    >>> cost.refresh().data, cost.partials
    (9.0, (3.0, 3.0))
    """
    nodes = [node for node in topological_order(self) if node.op]
    before = [(node._data, node._dx, node._dy) for node in nodes]
    try:
        for node in nodes:
            present = again(node.op, node.operands)
            node._data, node._dx, node._dy = present._data, present._dx, present._dy
    except Exception:
        for node, computed in zip(nodes, before):
            node._data, node._dx, node._dy = computed
        raise
    return self


manners.number = number
for _name, _attribute in {
    "data": property(data, _assign),
    "grad": property(_gradient, _assign_gradient),
    "label": Value.label.setter(_assign_label),
    "refresh": refresh,
}.items():
    setattr(Value, _name, _attribute)
