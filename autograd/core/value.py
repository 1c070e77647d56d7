"""Value: one number in an expression, which remembers what it was computed from and how fast it changes with each.

The operators are written out below; the functions (`exp`, `tanh`, `sum`, ...) are made from the table of primitives.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import itertools
import keyword
import math
import numbers
import operator
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from autograd.core.expressions import check, names_in, parse
from autograd.core.generate import kernel, node_function
from autograd.core.graph import backpropagate, topological_order
from autograd.core.table import FLOATS, PRIME, PRIMITIVES, declaration

new = object.__new__
_changes = itertools.count(1)
last_change = [0]  # differs after any assignment of data: a compiled program reads its leaves again only then
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
        last_change[0] = next(_changes)

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
        nan or infinite is left in place and reported by a RuntimeWarning that names the node where it arose.
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

    # Copies and pickles hold the whole graph. A node lists its ancestors first, so that no recursion follows its depth.

    def __reduce__(self) -> tuple:
        ancestors = None if getattr(_thread, "copying", False) or not self.parents else _Ancestors(self)
        return restore, (ancestors, *(getattr(self, slot) for slot in Value.__slots__[1:]))

    if TYPE_CHECKING:  # every function of the table is also a method, under NumPy's name as well

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


class _Method:
    """A function of the table as a method, made when it is first looked up.

    A `__getattr__` would do the same, but a class that defines one reads all of its attributes slowly.
    """

    def __init__(self, name: str):
        self.name = name

    def __get__(self, value: Value | None, owner: type) -> Callable[..., Any]:
        made = function(self.name)
        return made if value is None else functools.partial(made, value)


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


def replace_operands(node: Value, replacement: dict[Value, Value]) -> None:
    """Let a node that was made on the way to a result refer to other Values, equal in data to its own."""
    if type(node._x) is not tuple:
        node._x, node._y = replacement.get(node._x, node._x), replacement.get(node._y, node._y)
    elif not replacement.keys().isdisjoint(node._y):
        whole = node._x is node._y
        node._x = tuple([replacement.get(x, x) for x in node._x])  # type: ignore[arg-type]
        node._y = node._x if whole else tuple([replacement.get(x, x) for x in node._y])


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


def separated(xs: list[Any], name: str) -> tuple[list[Value | float], list[float]]:
    """Operands with the plain numbers among them as floats, and what all of them are worth."""
    types = set(map(type, xs))
    if types == {float}:
        return xs, xs
    data = [x._data if isinstance(x, Value) else x if type(x) is float else number(x, name) for x in xs]
    return xs if types == {Value} else [x if isinstance(x, Value) else d for x, d in zip(xs, data)], data


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
    names: Iterable[str] = row.operands
    if row.variadic:
        n = (len(operands) - len(row.operands) + len(row.lists)) // len(row.lists)
        names = [
            f"{x[:-1]}[{i}]" if x in row.lists else x for x in row.operands for i in range(n if x in row.lists else 1)
        ]
    labels = [f" (label {x.label!r})" if isinstance(x, Value) and x.label else "" for x in operands]
    parts = [f"{operand} = {datum(x, name)!r}{label}" for operand, x, label in zip(names, operands, labels)]
    return ", ".join(parts[:4] + ["..."] * (len(parts) > 4))


def failure(name: str, operands: tuple, error: Exception) -> Exception:
    """The error for operands outside the domain of an operation, of the same type as Python's own."""
    reason = {OverflowError: "overflows", ZeroDivisionError: "divides by zero"}.get(type(error), "is not defined")
    return type(error)(f"{name} {reason} at {described(name, operands)}")


def refuse_nan(name: str, operands: tuple) -> None:
    """Raise when an operation makes a nan of operands that are none; a nan among the data passes through.

    So does what follows from an infinite slope, as in the backward pass on floats.
    """
    if not any(math.isnan(datum(x, name)) for x in operands) and not any(map(is_infinite_slope, operands)):
        raise ValueError(f"{name} is not a number (nan) at {described(name, operands)}")


def is_infinite_slope(x: Value | float) -> bool:
    """Whether an operand is infinite because a slope is, which it was computed from."""
    return (
        isinstance(x, Value)
        and math.isinf(x._data)
        and any(PRIME in node.op and not math.isfinite(node._data) for node in topological_order(x))
    )


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
    """Issue a RuntimeWarning if the cost or a gradient is nan or infinite, naming the node where that arose.

    `gradient` lists the nodes in topological order; the last is the cost.
    """
    if is_tracing():  # the data of a recorded program are not settled yet
        return
    cost = next(reversed(gradient))
    if not math.isfinite(cost._data):
        node = next(node for node in gradient if not math.isfinite(node._data))
        message = (
            f"backward from a cost that is {cost._data}, so its gradients are no guide. The first value that is "
            f"not finite is {located(node)}. Look at the data, scale them, or use a stable form "
            "(logsumexp, log1p, softplus)"
        )
    elif math.isfinite(builtins.sum(gradient.values())) or all(map(math.isfinite, gradient.values())):
        return
    else:
        message = next(filter(None, (cause(node, upstream) for node, upstream in reversed(gradient.items()))))
    warnings.warn(message, RuntimeWarning, stacklevel=outside())


def cause(node: Value, upstream: float) -> str:
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


def located(node: Value) -> str:
    """A node as a sentence names it: by its label, its operation and its operands."""
    name = f"{node.label!r}, " * bool(node.label)
    return f"{name}{node.op} at {described(node.op, node.operands)}" if node.op else f"{name}a leaf of {node._data}"


def outside() -> int:
    """The stacklevel, for a warning issued by the caller, of the first frame that is not this package's own."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "autograd":
        frame, level = frame.f_back, level + 1
    return level


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


def is_tracing() -> bool:
    """Whether this thread is recording a program."""
    return getattr(_thread, "tracing", False)


def settled(data: Any, conversion: str) -> Any:
    """The data, refused while a program is traced, when it is not settled yet."""
    if is_tracing():
        raise TypeError(
            f"{conversion} of a Value inside a function that is being compiled: its result would be frozen into the "
            "program. Use where(a - b, x, y) to choose x where a > b, and maximum, minimum, relu, clip or step for the "
            "common cases."
        )
    return data


# From the table ----------------------------------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[..., Any]] = {}  # the eager function of each row, made when it is first asked for
NUMPY_NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}
_WORDS: dict[str, Any] = {
    f.__name__: f for f in (Value, number, operand, separated, listed, empty, unequal, failure, refuse_nan, plain)
}
_WORDS |= {"new": new, "data_of": operator.attrgetter("_data")}


def function(name: str) -> Callable[..., Any]:
    """The eager function of the row `name`, which from then on is a method of Value, too."""
    if name not in FUNCTIONS:
        row = PRIMITIVES[name]
        words = set().union(*(names_in(parse(expression)) for expression in (row.value, *row.partials)))
        for word in sorted({*words, row.domain} & set(PRIMITIVES) - set(FLOATS)):
            function(word)
        FLOATS[name] = kernel(row)
        FUNCTIONS[name] = node_function(row, _WORDS)
        if row.is_slope:
            return FUNCTIONS[name]
        globals()[name] = FUNCTIONS[name]
        if not row.variadic and name != "where":
            setattr(Value, name, FUNCTIONS[name])
    return FUNCTIONS[name]


# Names that the generated functions use themselves
RESERVED = set("n rest out node error partials operands parents kernel careful_partials new dx dy t0 t1 t2 t3".split())


def primitive(name: str, value: str, *partials: str, operands: str = "", note: str = "") -> Callable[..., Any]:
    """A new operation: its row is added to the table, its function returned.

    `value` and `partials`, one for each operand, are Python expressions in the operands and the result `out`, made of
    the table's own functions. `operands` is `"x"` or `"x, y"` unless it is given; `"x, slope=0.01"` declares a default.
    The operation then works everywhere: as a method of Value, in derivatives of any order, compiled, drawn, explained.
    `gradcheck` tells whether its partials are right.

    Raises:
        TypeError: something other than text.
        ValueError: a name that is taken, an expression that the table's language does not have, a number of partials
            that is not the number of operands. Nothing is declared then.

    >>> from autograd import Value, gradcheck
    >>> bump = primitive("bump", "exp(-x * x)", "-2 * x * out", note="a bell curve")
    >>> x = Value(0.5)
    >>> bump(x).backward()
    >>> round(x.grad, 6), bool(gradcheck(bump, 0.5, order=2))
    (-0.778801, True)
    """
    for text in (name, value, *partials, operands, note):
        if not isinstance(text, str):
            raise TypeError(f"an operation is declared by text, as in primitive('double', '2 * x', '2'), not {text!r}")
    declared = declaration(name, value, *partials, operands=operands, note=note)
    if PRIMITIVES.get(name) == declared:  # the same cell of a notebook, run again
        return function(name)
    taken = {*PRIMITIVES, *FLOATS, *NUMPY_NAMES, *_WORDS, *dir(builtins), *keyword.kwlist}
    if not name.isidentifier() or name in taken or hasattr(Value, name):
        raise ValueError(f"{name!r} cannot name an operation: it must be an identifier that is not in use already")
    if len(partials) != len(declared.operands):
        raise ValueError(
            f"{name} has {len(declared.operands)} operands ({', '.join(declared.operands)}) and {len(partials)} "
            "partials: give one derivative for each operand, and operands='x, y, slope' for more than two"
        )
    for x in declared.operands:
        if not x.isidentifier() or x in taken or x in RESERVED or x.endswith("_data") or declared.operands.count(x) > 1:
            raise ValueError(f"{x!r} cannot name an operand of {name}: use distinct identifiers such as x, y, slope")
    if declared.lists:
        raise ValueError(
            f"{name} would take a list: write it as a function of sum, prod, mean, logsumexp, weighted_sum"
        )
    check(value, set(declared.operands))
    for partial in partials:
        check(partial, {*declared.operands, "out"})
    PRIMITIVES[name] = declared
    return function(name)


def softmax(xs: Iterable[Value | float]) -> list:
    """exp(x) / sum(exp(x)) of each operand, as exp(x - logsumexp(xs)), which never overflows."""
    xs = listed(xs, "softmax")
    if not xs:
        raise empty("softmax")
    total = function("logsumexp")(xs)
    return [function("exp")(x - total) for x in xs]


def __getattr__(name: str) -> Any:
    if name in PRIMITIVES:
        return function(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


for _name, _row in PRIMITIVES.items():
    if not _row.variadic and _name != "where":
        setattr(Value, _name, _Method(_name))
for _name, _own in NUMPY_NAMES.items():
    setattr(Value, _name, _Method(_own))
for _name in ("add", "sub", "mul", "div", "neg", "pow", "abs"):
    function(_name)

if TYPE_CHECKING:  # what the loop above defines
    abs = add = div = mul = neg = pow = sub = function("...")
