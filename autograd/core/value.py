"""Value: one number in an expression, which remembers what it was computed from and how fast it changes with each.

The operators are written out below; the functions (`exp`, `tanh`, `sum`, ...) are made from the table.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import operator
from _thread import allocate_lock

from autograd.core import manners
from autograd.core.floats import SLOPES, VALUES
from autograd.core.graph import backpropagate, replay
from autograd.core.manners import number
from autograd.core.methods import Methods
from autograd.core.table import ATOMS, PRIME, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

new = object.__new__
_accumulating = allocate_lock()  # backward passes of several threads may share leaves


def _operator(name: str) -> tuple[Callable[[Value, Value | float], Value], Callable[[Value, Value | float], Value]]:
    return (lambda x, y: operate(name, x, y)), (lambda y, x: operate(name, x, y))


def _function(name: str) -> Callable[[Value], Value]:
    return lambda x: apply(name, x)


def _comparison(compare: Callable[[float, float], bool]) -> Callable[[Value, Value | float], bool]:
    def compared(x: Value, y: Value | float) -> bool:
        other = manners.comparand(y)
        return other if other is NotImplemented else compare(x._data, other)

    return compared


class Value(Methods):
    """A number that records how it was computed.

    Args:
        data: one real number: int, float, bool, a NumPy scalar or a 0-d array.
        label: the name it has in drawings and explanations.

    Attributes:
        data: what the value is worth, a float.
        grad: d cost / d value, added up by `backward()`; 0.0 until one reaches it.
        label: its name, or an empty string.
        op: the name of the operation that computed it; an empty string for a leaf.
        parents: the Values it was computed from, in operand order, repeats kept.
        partials: d value / d parent for each parent, as they were when the value was computed.
        operands: the parents and the plain numbers it was computed from.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    # One or two operands and their partials have slots of their own: a tuple of Values per node would be one more
    # object for the garbage collector to scan, and its scans, not the arithmetic, are most of the time on a large
    # graph. More operands are kept as tuples: all operands in _x, the parents among them in _y, their partials in _dx.
    # _made is the operation, with the label if there is one.
    __slots__ = ("__dict__", "__weakref__", "_data", "_dx", "_dy", "_grad", "_made", "_x", "_y")

    _x: Any
    _y: Any
    _dx: Any
    _dy: Any

    def __init__(self, data: Any, label: str = ""):
        self._data: float = data if type(data) is float else number(data, "Value")
        self._grad: float = 0.0
        self._made: str | tuple[str, str] = ("", manners.text(label)) if type(label) is not str or label else ""
        self._x = self._y = self._dx = self._dy = None

    @property
    def operands(self) -> tuple[Value | float, ...]:
        """What the value was computed from: Values, and plain numbers."""
        x, y = self._x, self._y
        if isinstance(x, tuple):
            return self._x
        return (x, y) if y is not None else (x,) if x is not None else ()

    @property
    def parents(self) -> tuple[Value, ...]:
        """The Values among the operands, repeats kept."""
        x, y = self._x, self._y
        if isinstance(x, Value):
            return (x, y) if isinstance(y, Value) else (x,)
        return self._y if type(self._x) is tuple else (y,) if y is not None else ()

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
        made = self._made
        return made if type(made) is str else made[0]

    @property
    def label(self) -> str:
        """The name that the value has in drawings and explanations."""
        made = self._made
        return "" if type(made) is str else made[1]

    @label.setter
    def label(self, label: str) -> None:
        if type(label) is not str:
            manners.text(label)
        made = self._made
        self._made = (made if type(made) is str else made[0], label)

    @property
    def data(self) -> float:
        """What the value is worth. Assigning changes it for later expressions, not for those already computed."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        self._data = data if type(data) is float else number(data, "Value.data")

    @property
    def grad(self) -> float:
        """d cost / d value: 0.0 until a backward pass reaches the value."""
        return self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        self._grad = grad if type(grad) is float else number(grad, "Value.grad")

    def backward(self, gradient: float = 1.0) -> None:
        """Add d self / d leaf into the gradient of every leaf; set the gradient of every other node on the way.

        Leaves accumulate over calls, as in PyTorch: call `zero_grad` before the next step. All is multiplied by
        `gradient`, as if it were d cost / d self.
        """
        accumulate(self, gradient)

    def refresh(self) -> Value:
        """This value, computed anew with all nodes before it, in place, from the present data of the leaves.

        Raises:
            ValueError, ArithmeticError: some node has no value there. Then none is changed.

        >>> w = Value(2.0)
        >>> cost = w * w
        >>> w.data = 3.0
        >>> cost.refresh().data, cost.partials
        (9.0, (3.0, 3.0))
        """
        replay(self)
        return self

    # What `replay` asks of a node

    @property
    def computed(self) -> tuple[float, Any, Any]:
        """What an operation leaves in a node: its data and its partials."""
        return self._data, self._dx, self._dy

    @computed.setter
    def computed(self, computed: tuple[float, Any, Any]) -> None:
        self._data, self._dx, self._dy = computed

    def again(self) -> tuple[float, Any, Any]:
        """What the operation would leave in the node today."""
        return OPERATIONS[self.op](*TABLE[self.op].grouped(self.operands).values()).computed

    # Operators, with those for a plain number on the left. Comparison is by value; `==` and `hash` are by identity, so
    # that nodes can be members of sets and mappings.

    __add__, __radd__ = _operator("add")
    __sub__, __rsub__ = _operator("sub")
    __mul__, __rmul__ = _operator("mul")
    __truediv__, __rtruediv__ = _operator("div")
    __mod__, __rmod__ = _operator("mod")
    __pow__, __rpow__ = _operator("pow")
    __neg__, __abs__ = _function("neg"), _function("abs")
    __floor__, __ceil__, __trunc__ = _function("floor"), _function("ceil"), _function("trunc")
    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)

    def __pos__(self) -> Value:
        return self

    # Conversion

    def __bool__(self) -> bool:
        return bool(self._data)

    def __float__(self) -> float:
        return self._data

    def __int__(self) -> int:
        return int(self._data)

    def __round__(self, digits: int | None = None) -> float:
        return round(self._data, digits)

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else repr(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self._grad}{label})"


for _ in range(32):  # CPython makes room for attributes that it expects, for fewer after each Value that has none
    Value(0.0)


def accumulate(cost: Value, gradient: float) -> dict[Value, float]:
    """Add the gradients of a cost into its leaves, set those of its other nodes; what `backpropagate` gives."""
    gradients = backpropagate(cost, number(gradient, "backward"))
    with _accumulating:
        for node, slope in gradients.items():
            node._grad = slope if node._x is not None else node._grad + slope
    return gradients


# Operations --------------------------------------------------------------------------------------------------------


def apply(name: str, *arguments: Any, **named: Any) -> Any:
    """An operation of the table on Values, numbers and lists of them: a node, or a float if no operand is a Value.

    This is the eager engine; what `fast.py` puts in its place gives the same.
    """
    row = TABLE[name]
    operands = tuple(manners.operands(row, arguments, named))
    data = row.grouped([manners.datum(x, name) for x in operands])
    try:
        out: float = VALUES[name](*data.values())
    except (ArithmeticError, ValueError) as error:
        if row.domain:  # a slope: it is the row that it is the slope of that has no value here
            groups = row.grouped(operands)
            name, operands = row.domain, tuple([groups[x] for x in TABLE[row.domain].operands])
        raise manners.failure(name, operands, error) from None
    if out != out and not row.is_slope:
        manners.refuse_nan(name, operands)
    if not any(isinstance(x, Value) for x in operands):
        return float(out)
    node = new(Value)
    node._data, node._grad, node._made = float(out), 0.0, name
    slopes = [
        float(slope) if isinstance(x, Value) else None for x, slope in zip(operands, row.slopes(data, out, SLOPES))
    ]
    if row.lists or len(operands) > 2:
        parents = tuple([x for x in operands if isinstance(x, Value)])
        node._x, node._y = operands, parents
        node._dx, node._dy = tuple([slope for slope in slopes if slope is not None]), None
    else:
        (node._x, node._y), (node._dx, node._dy) = (*operands, None)[:2], (*slopes, None)[:2]
    return node


def operate(name: str, x: Any, y: Any) -> Any:
    """An operator; NotImplemented where the other operand may know it itself."""
    return NotImplemented if manners.takes_over(x) or manners.takes_over(y) else apply(name, x, y)


class _Operations(dict[str, "Callable[..., Any]"]):
    """The function of each row, made when it is first asked for."""

    def make(self, name: str) -> Callable[..., Any]:
        """The function of a row."""

        def function(*arguments: Any, **named: Any) -> Any:
            return apply(name, *arguments, **named)

        return function

    def __missing__(self, name: str) -> Callable[..., Any]:
        if name not in TABLE and PRIME not in name:
            raise TypeError(
                f"{name} is no operation, so it has no derivative: declare it as one by primitive({name!r}, ...), and "
                "give that as the partial of the operation that uses it"
            )
        self[name] = self.make(name)
        return self[name]


OPERATIONS = _Operations()


def methods(name: str) -> list[str]:
    """The names under which a row is a method of Value, NumPy's among them."""
    if TABLE[name].lists or TABLE[name].is_slope or name == "where":
        return []
    return [name, *([ATOMS[name].method] if name in ATOMS and ATOMS[name].method else [])]


for _name in TABLE:
    for _method in methods(_name):
        setattr(Value, _method, OPERATIONS[_name])
