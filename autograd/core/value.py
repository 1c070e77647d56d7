"""Value: one number in an expression, which remembers what it was computed from and how fast it changes with each.

The operators are written out below; the functions (`exp`, `tanh`, `sum`, ...) are made from the table.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from autograd.core import manners
from autograd.core.floats import SLOPES, VALUES
from autograd.core.graph import backpropagate
from autograd.core.methods import Methods
from autograd.core.table import TABLE, OnDemand, evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _operator(name: str) -> tuple[Callable[[Value, Value | float], Value], Callable[[Value, Value | float], Value]]:
    return (lambda x, y: apply(name, x, y)), (lambda y, x: apply(name, x, y))


def _function(name: str) -> Callable[[Value], Value]:
    def function(*operands: Any, **named: Any) -> Any:
        return apply(name, *operands, **named)

    return function


class Value(Methods):
    """A number that records how it was computed.

    Args:
        data: one real number: int, float, bool, a NumPy scalar or a 0-d array.
        label: the name it has in drawings and explanations.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    # One or two operands and their partials have slots of their own: a tuple for each node would be one more object for
    # the garbage collector to scan, and its scans, not the arithmetic, are most of the time on a large graph. More
    # operands are tuples: all in _x, the parents among them in _y, their partials in _dx. _made is operation and label.
    __slots__ = ("__dict__", "__weakref__", "_data", "_dx", "_dy", "_grad", "_made", "_x", "_y")

    data: float  # what the value is worth
    grad: float  # d cost / d value, added up by backward passes

    def __init__(self, data: Any, label: str = ""):
        self._data: float = data if type(data) is float else manners.number(data, "Value")
        self._grad: float = 0.0
        self._made: tuple[str, str] = ("", "")
        self._x: Any = None
        self._y: Any = None
        self._dx: Any = None
        self._dy: Any = None
        if type(label) is not str or label:
            self.label = label

    @property
    def operands(self) -> tuple[Value | float, ...]:
        """What the value was computed from: Values, and plain numbers."""
        x, y = self._x, self._y
        if isinstance(x, tuple):
            return self._x
        return (x, y) if y is not None else (x,) if x is not None else ()

    @property
    def parents(self) -> tuple[Value, ...]:
        """The Values among the operands, in their order, repeats kept."""
        x, y = self._x, self._y
        if x is None or type(x) is tuple:
            return y or ()
        return (y,) if not isinstance(x, Value) else (x, y) if isinstance(y, Value) else (x,)

    @property
    def partials(self) -> tuple[float, ...]:
        """d value / d parent for each parent, as they were when the value was computed."""
        dx, dy = self._dx, self._dy
        if dy is not None:
            return (dx, dy) if dx is not None else (dy,)
        return self._dx if type(dx) is tuple else (dx,) if self._x is not None else ()

    @property
    def op(self) -> str:
        """The name of the operation that computed the value; an empty string for a leaf."""
        return self._made[0]

    @property
    def label(self) -> str:
        """The name that the value has in drawings and explanations."""
        return self._made[1]

    @label.setter
    def label(self, label: str) -> None:
        self._made = self.op, label

    def backward(self, gradient: float = 1.0) -> None:
        """Add d self / d leaf, times `gradient`, into the gradient of every leaf; set that of every other node."""
        accumulate(self, gradient)

    # Operators, with those for a plain number on the left
    __add__, __radd__ = _operator("add")
    __sub__, __rsub__ = _operator("sub")
    __mul__, __rmul__ = _operator("mul")
    __truediv__, __rtruediv__ = _operator("div")
    __mod__, __rmod__ = _operator("mod")
    __pow__, __rpow__ = _operator("pow")
    __neg__, __abs__ = _function("neg"), _function("abs")

    def __repr__(self) -> str:
        return f"Value(data={self._data}, grad={self._grad}" + f", label={self.label!r}" * bool(self.label) + ")"


def accumulate(cost: Value, gradient: float) -> dict[Value, float]:
    """Add the gradients of a cost into its leaves, set those of its other nodes; what `backpropagate` gives."""
    gradients = backpropagate(cost, manners.number(gradient, "backward"))
    for node, slope in gradients.items():
        node._grad = slope if node._x is not None else node._grad + slope
    return gradients


def apply(name: str, *arguments: Any, **named: Any) -> Any:
    """An operation of the table on Values, numbers and lists of them: a node, or a float if no operand is a Value."""
    row = TABLE[name]
    operands = tuple(manners.operands(row, arguments, named))
    data = row.grouped([manners.datum(x, name) for x in operands])
    try:
        out: float = VALUES[name](*data.values())
    except (ArithmeticError, ValueError) as error:
        raise manners.failure(row, operands, error) from None
    if out != out and not row.is_slope:
        manners.refuse_nan(name, operands)
    if not any(isinstance(x, Value) for x in operands):
        return float(out)
    node: Value = object.__new__(Value)
    node._data, node._grad, node._made = float(out), 0.0, (name, "")
    slopes = [
        float(evaluate(row.partials[position], SLOPES, names)) if isinstance(x, Value) else None
        for x, (position, names) in zip(operands, row.occurrences(data, out, SLOPES))
    ]
    if row.lists or len(operands) > 2:
        node._x, node._y = operands, tuple([x for x in operands if isinstance(x, Value)])
        node._dx, node._dy = tuple([dx for dx in slopes if dx is not None]), None
    else:
        (node._x, node._y), (node._dx, node._dy) = (*operands, None)[:2], (*slopes, None)[:2]
    return node


# The function of each row; `fast.py` puts in place what makes a quicker one, which gives the same
OPERATIONS = OnDemand(_function)
for _name, _row in TABLE.items():
    if not _row.lists and _name != "where":
        setattr(Value, _name, OPERATIONS[_name])
Value.data, Value.grad = Value._data, Value._grad  # `assigning.py` puts in place what looks at a number first
