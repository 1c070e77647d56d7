"""Value: one number in an expression, which remembers what it was computed from and how fast it changes with each.

The operators are written out below; the functions (`exp`, `tanh`, `sum`, ...) are made from the table of primitives.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import math
import numbers
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from autograd.expressions import names_in, parse
from autograd.generate import kernel, node_function
from autograd.graph import backpropagate, topological_order
from autograd.primitives import FLOATS, PRIMITIVES

new = object.__new__
_accumulating = threading.Lock()  # backward passes of several threads may share leaves
_thread = threading.local()


class Value:
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
    __slots__ = ("__weakref__", "_data", "_dx", "_dy", "_grad", "_x", "_y", "label", "op")

    label: str
    op: str
    _x: Any
    _y: Any
    _dx: Any
    _dy: Any

    def __init__(self, data: Any, label: str = ""):
        if not isinstance(label, str):
            raise TypeError(f"a label is a str, not {label!r}")
        self._data: float = data if type(data) is float else number(data, "Value")
        self._grad: float = 0.0
        self.label = label
        self.op = ""
        self._x = self._y = self._dx = self._dy = None

    @property
    def operands(self) -> tuple[Value | float, ...]:
        """What the value was computed from: Values, and plain numbers."""
        x, y = self._x, self._y
        if type(x) is tuple:
            return x
        return (x, y) if y is not None else (x,) if x is not None else ()

    @property
    def parents(self) -> tuple[Value, ...]:
        """The Values among the operands, repeats kept."""
        x, y = self._x, self._y
        if isinstance(x, Value):
            return (x, y) if isinstance(y, Value) else (x,)
        return y if type(x) is tuple else (y,) if y is not None else ()

    @property
    def partials(self) -> tuple[float, ...]:
        """d value / d parent for each parent, as they were when the value was computed."""
        dx, dy = self._dx, self._dy
        if dy is not None:
            return (dx, dy) if dx is not None else (dy,)
        return dx if type(dx) is tuple else (dx,) if dx is not None else ()

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

    def backward(self) -> None:
        """Add d self / d leaf into the gradient of every leaf; set the gradient of every other node on the way.

        Leaves accumulate over calls, as in PyTorch: call `zero_grad` before the next step. A gradient that comes out as
        nan is left in place and reported by a RuntimeWarning that names the node where it arose.
        """
        gradient = backpropagate(self)
        with _accumulating:
            for node, slope in gradient.items():
                node._grad = slope if node.op else node._grad + slope
        warn_of_nan(gradient)

    # Arithmetic

    def __add__(self, other: Value | float) -> Value:
        return add(self, other)

    def __radd__(self, other: Value | float) -> Value:
        return add(other, self)

    def __sub__(self, other: Value | float) -> Value:
        return sub(self, other)

    def __rsub__(self, other: Value | float) -> Value:
        return sub(other, self)

    def __mul__(self, other: Value | float) -> Value:
        return mul(self, other)

    def __rmul__(self, other: Value | float) -> Value:
        return mul(other, self)

    def __truediv__(self, other: Value | float) -> Value:
        return div(self, other)

    def __rtruediv__(self, other: Value | float) -> Value:
        return div(other, self)

    def __pow__(self, other: Value | float) -> Value:
        return pow(self, other)

    def __rpow__(self, other: Value | float) -> Value:
        return pow(other, self)

    def __neg__(self) -> Value:
        return neg(self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return abs(self)

    # Comparison is by value; `==` and `hash` are left as identity, so that nodes can be members of sets and mappings

    def __lt__(self, other: Value | float) -> bool:
        y = comparand(other)
        return y if y is NotImplemented else self._data < y

    def __le__(self, other: Value | float) -> bool:
        y = comparand(other)
        return y if y is NotImplemented else self._data <= y

    def __gt__(self, other: Value | float) -> bool:
        y = comparand(other)
        return y if y is NotImplemented else self._data > y

    def __ge__(self, other: Value | float) -> bool:
        y = comparand(other)
        return y if y is NotImplemented else self._data >= y

    # Conversion

    def __bool__(self) -> bool:
        return bool(settled(self._data, "bool"))

    def __float__(self) -> float:
        return settled(self._data, "float")

    def __int__(self) -> int:
        return int(settled(self._data, "int"))

    def __round__(self, digits: int | None = None) -> float:
        return round(settled(self._data, "round"), digits)

    def __floor__(self) -> Value:
        return function("floor")(self)

    def __ceil__(self) -> Value:
        return function("ceil")(self)

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else repr(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self._grad}{label})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from autograd.draw import value_bundle

        return value_bundle(self)

    # Copies and pickles hold the whole graph. A node lists its ancestors first, so that no recursion follows its depth.

    def __reduce__(self) -> tuple:
        ancestors = None if getattr(_thread, "copying", False) or not self.parents else _Ancestors(self)
        return restore, (ancestors, *(getattr(self, slot) for slot in Value.__slots__[1:]))

    # Every function of the table is also a method, under NumPy's name as well; it is made when it is first used

    def __getattr__(self, name: str) -> Callable[..., Any]:
        name = NUMPY_NAMES.get(name, name)
        if name not in PRIMITIVES or PRIMITIVES[name].variadic or name == "where":
            raise AttributeError(f"a Value has no attribute {name!r}")
        return functools.partial(function(name), self)

    def __dir__(self) -> Iterable[str]:
        return {*super().__dir__(), *(name for name, row in PRIMITIVES.items() if not row.variadic), *NUMPY_NAMES}


class _Ancestors:
    """All nodes before one, as a list that is made while it is copied."""

    def __init__(self, node: Value):
        self.node = node

    def __reduce__(self) -> tuple:
        return list, (), None, self._in_order()

    def _in_order(self) -> Iterator[Value]:
        _thread.copying = True
        try:
            yield from topological_order(self.node)[:-1]
        finally:
            _thread.copying = False


def restore(ancestors: object, *state: Any) -> Value:
    """A node as it was pickled."""
    node = new(Value)
    for slot, content in zip(Value.__slots__[1:], state):
        setattr(node, slot, content)
    return node


# Operands and errors -----------------------------------------------------------------------------------------------


def number(x: Any, name: str) -> float:
    """The float that one real number is worth; a TypeError that teaches for anything else."""
    if isinstance(x, (int, float)):
        return float(x)
    if getattr(getattr(x, "dtype", None), "kind", "") in tuple("fiub") and x.shape == ():
        return float(x)
    advice = "convert it with float(...) first"
    if isinstance(x, Value):
        advice = "this is a Value already: use it as it is, or its .data"
    elif isinstance(x, (list, tuple, set, dict)) or hasattr(x, "shape"):
        advice = "make a Value of each number, [Value(x) for x in ...]; functions apply to one number at a time"
    elif isinstance(x, complex):
        advice = "complex numbers are not supported"
    elif x is None:
        advice = "is a return statement missing?"
    given = repr(x) if len(repr(x)) < 60 else repr(x)[:57] + "..."
    raise TypeError(
        f"{name} takes one real number (int, float, bool, NumPy scalar), not {given} ({type(x).__name__}): {advice}"
    )


def operand(x: Any, name: str) -> Any:
    """As `number`, but NotImplemented for what may know the operator itself, such as a NumPy array."""
    if getattr(x, "shape", ()) != () or (hasattr(x, "__radd__") and not isinstance(x, numbers.Number)):
        return NotImplemented
    return number(x, name)


def datum(x: Any, name: str) -> float:
    """What an operand is worth, Value or plain number."""
    return x._data if isinstance(x, Value) else number(x, name)


def listed(xs: Iterable[Any], name: str) -> list[Any]:
    """The operands of a function of many, as a list."""
    if isinstance(xs, (str, bytes, dict)) or not hasattr(xs, "__iter__"):
        raise TypeError(f"{name} takes one iterable of Values or numbers, as in {name}([a, b, c]), not {xs!r}")
    return list(xs)


def empty(name: str) -> ValueError:
    """The error for a function of many that got none."""
    return ValueError(f"{name} of nothing has no value: it needs at least one operand")


def unequal(name: str, n: int, m: int) -> ValueError:
    """The error for lists that should be of one length."""
    return ValueError(f"{name} needs as many inputs as weights: {n} weights, {m} inputs")


def described(name: str, operands: tuple) -> str:
    """`x = -0.3 (label 'p')` for each operand, at most four of them."""
    row = PRIMITIVES[name]
    names = [f"{row.lists[0][:-1]}[{i}]" for i in range(len(operands))] if row.variadic else row.operands
    label = lambda x: f" (label {x.label!r})" if isinstance(x, Value) and x.label else ""  # noqa: E731
    parts = [f"{operand} = {datum(x, name)!r}{label(x)}" for operand, x in zip(names, operands)]
    return ", ".join(parts[:4] + ["..."] * (len(parts) > 4))


def failure(name: str, operands: tuple, error: Exception) -> Exception:
    """The error for operands outside the domain of an operation, of the same type as Python's own."""
    reason = {OverflowError: "overflows", ZeroDivisionError: "divides by zero"}.get(type(error), "is not defined")
    return type(error)(f"{name} {reason} at {described(name, operands)}")


def refuse_nan(name: str, operands: tuple) -> None:
    """Raise when an operation makes a nan of operands that are none; a nan among the data passes through."""
    if not any(math.isnan(datum(x, name)) for x in operands):
        raise ValueError(f"{name} is not a number (nan) at {described(name, operands)}")


def plain(name: str, function: Callable[..., float], *data: Any) -> float:
    """An operation on plain numbers, with the errors of the eager engine."""
    operands = tuple(x for group in data for x in (group if isinstance(group, list) else [group]))
    try:
        out = function(*data)
    except (ArithmeticError, ValueError) as error:
        raise failure(name, operands, error) from None
    if out != out:
        refuse_nan(name, operands)
    return float(out)


def warn_of_nan(gradient: dict[Value, float]) -> None:
    """Issue a RuntimeWarning if a gradient is nan, naming the first node where one arose on the way back."""
    if not math.isnan(builtins.sum(gradient.values())) or not any(map(math.isnan, gradient.values())):
        return
    for node in reversed(gradient):
        upstream = gradient[node]
        where = f"{node.op or 'the leaf'} at {described(node.op, node.operands)}" if node.op else f"leaf {node!r}"
        if math.isnan(upstream):
            message = f"the gradient of {where} is nan: its contributions have no sum (inf - inf)"
            break
        slopes = [partial for partial in node.partials if math.isnan(upstream * partial)]
        if slopes:
            message = f"a gradient is nan. It arose at {where}: upstream {upstream} times local derivative {slopes[0]}"
            break
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def comparand(other: Any) -> Any:
    """What a Value is compared with, a number; NotImplemented for what may know the comparison itself."""
    if isinstance(other, Value):
        return settled(other._data, "a comparison")
    return settled(other if isinstance(other, (int, float)) else operand(other, "a comparison"), "a comparison")


@contextlib.contextmanager
def tracing() -> Iterator[None]:
    """Refuse, within this context and thread, whatever would freeze a Value's present data into a recorded program."""
    before, _thread.tracing = getattr(_thread, "tracing", False), True
    try:
        yield
    finally:
        _thread.tracing = before


def settled(data: Any, conversion: str) -> Any:
    """The data, refused while a program is traced, when it is not settled yet."""
    if getattr(_thread, "tracing", False):
        raise TypeError(
            f"{conversion} of a Value inside a function that is being compiled: its result would be frozen into the "
            "program. Use where(a - b, x, y) to choose x where a > b, and maximum, minimum, relu, clip or step for the "
            "common cases."
        )
    return data


# From the table ----------------------------------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[..., Any]] = {}  # the eager function of each row, made when it is first asked for
NUMPY_NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}
_WORDS = {f.__name__: f for f in (Value, number, operand, datum, listed, empty, unequal, failure, refuse_nan, plain)}
_WORDS["new"] = new


def function(name: str) -> Callable[..., Any]:
    """The eager function of the row `name`, which from then on is a method of Value, too."""
    if name not in FUNCTIONS:
        row = PRIMITIVES[name]
        FLOATS[name] = kernel(row)
        words = set().union(*(names_in(parse(expression)) for expression in (row.value, *row.partials)))
        for word in sorted(words & set(PRIMITIVES) - set(FLOATS)):
            function(word)
        FUNCTIONS[name] = node_function(row, _WORDS)
        globals()[name] = FUNCTIONS[name]
        if not row.variadic and name != "where":
            setattr(Value, name, FUNCTIONS[name])
    return FUNCTIONS[name]


def softmax(xs: Iterable[Value | float]) -> list:
    """exp(x) / sum(exp(x)) of each operand, as exp(x - logsumexp(xs)): exact for operands of any size."""
    xs = listed(xs, "softmax")
    if not xs:
        raise empty("softmax")
    total = function("logsumexp")(xs)
    return [function("exp")(x - total) for x in xs]


def __getattr__(name: str) -> Any:
    if name in PRIMITIVES:
        return function(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


for _name in ("add", "sub", "mul", "div", "neg", "pow", "abs"):
    function(_name)

if TYPE_CHECKING:  # what the loop above defines
    abs = add = div = mul = neg = pow = sub = function("...")
