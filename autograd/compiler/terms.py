"""Terms: what a kernel computes, as data: arrays, numbers, and operations on them.

An array is a *view* of a buffer. A *term* is an operation of NumPy on views, numbers and other terms. Rows of the table
become terms by being evaluated on `Number`s, whose operators build them.

Axes: a value that differs by example has one more axis, the last, which shapes do not list: it is "e" where axes are
named. Along an axis of step 0 one value serves many, as in NumPy's broadcasting.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autograd.core.floats import SLOPES, divide, power
from autograd.core.table import ATOMS, TABLE, evaluate


@dataclass(frozen=True, eq=False, slots=True)
class Buffer:
    """A flat array of `size` places; each holds a number or, if batched, a row of one number per example.

    Attributes:
        name: what it would like to be called.
        data: the numbers in it, if they are constants.
    """

    size: int
    batched: bool = False
    name: str = "t"
    data: Any = None
    dtype: str = "float"


class View(NamedTuple):
    """The places `start + i * strides[0] + j * strides[1] + ...` of a buffer, as an array of `shape`."""

    buffer: Buffer
    start: int = 0
    shape: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()

    @property
    def batched(self) -> bool:
        """Whether it differs by example."""
        return self.buffer.batched

    @property
    def size(self) -> int:
        """How many places it has, each counted once."""
        return math.prod(n for n, step in zip(self.shape, self.strides) if step)

    @property
    def stop(self) -> int:
        """The place after the last."""
        last = self.start
        for n, step in zip(self.shape, self.strides):
            if step > 0:
                last += (n - 1) * step
        return last + 1

    @property
    def is_whole(self) -> bool:
        """Whether its elements follow each other without a gap, in order."""
        return self.strides == row_major(self.shape)

    @property
    def places(self) -> slice | np.ndarray:
        """What indexes its places in the buffer."""
        if self.strides == (1,):
            return slice(self.start, self.start + self.shape[0])
        if self.stop - self.start == self.size and min(self.strides, default=0) >= 0:
            return slice(self.start, self.stop)
        at = np.array(self.start, np.intp)
        for n, step in zip(self.shape, self.strides):
            if step:
                at = at[..., None] + step * np.arange(n, dtype=np.intp)
        return at.ravel()

    def moved(self, buffer: Buffer, by: int) -> View:
        """The same places further on in a buffer."""
        return View(buffer, self.start + by, self.shape, self.strides)


class Term:
    """An operation on terms, views and numbers.

    `op` is the name of a NumPy function, or "where", "erf", "erfc", "step"; "indicator", which is 1.0 where a
    comparison holds and 0.0 elsewhere; a reduction "sum", "max" or "prod", of
    which `detail` are the axes; "expand", which makes a new axis `detail`; "product", a sum of products, of which
    `detail` are the subscripts as in `einsum`; "take", whose `detail` is a buffer of places; "examples", their number;
    "nonzero", an error if there is a zero.
    """

    # Thousands are made, and asked again and again for these; a frozen dataclass would take three times as long.
    __slots__ = ("_hash", "_shape", "args", "detail", "op", "views")
    __match_args__ = ("op", "args", "detail")

    def __init__(self, op: str, args: tuple[Any, ...] = (), detail: Any = None):
        self.op, self.args, self.detail = op, args, detail
        self.views: tuple[View, ...] = tuple([view for arg in args for view in views(arg)])  # which it reads
        self._hash = hash((op, args, detail))
        self._shape: Shape | None = None

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Term):
            return self is other
        return (self._hash, self.op, self.args, self.detail) == (other._hash, other.op, other.args, other.detail)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Term({self.op!r}, {self.args!r}, {self.detail!r})"

    @property
    def shape(self) -> Shape:
        """Its shape, 1 where one value serves many, and whether it differs by example."""
        if self._shape is None:
            self._shape = self._found_shape()
        return self._shape

    def _found_shape(self) -> Shape:
        if self.op == "nonzero":
            return (), False
        if self.op == "take":
            return self.detail.data.shape, self.args[0].batched
        if self.op == "product":
            a, b, c = self.detail
            lengths: dict[str, int] = {}
            for letters, arg in zip((a, b), self.args):
                lengths.update(zip(letters, arg.shape))
            return tuple([lengths[letter] for letter in c if letter != "e"]), "e" in c
        if self.op in REDUCTIONS:
            shape, batched = shape_of(self.args[0])
            return tuple([n for k, n in enumerate(shape) if k not in self.detail]), batched and "e" not in self.detail
        if self.op == "expand":
            shape, batched = shape_of(self.args[0])
            return (*shape[: self.detail], 1, *shape[self.detail :]) if shape or batched else (), batched
        return broadcast(list(map(shape_of, self.args)))


Expression = Term | View | float
Shape = tuple[tuple[int, ...], bool]
REDUCTIONS = {"sum": "add", "max": "maximum", "prod": "multiply"}
SIGNS = {">": ("greater", operator.gt), ">=": ("greater_equal", operator.ge), "<": ("less", operator.lt),
         "<=": ("less_equal", operator.le), "==": ("equal", operator.eq), "!=": ("not_equal", operator.ne)}  # fmt: skip
COMPARISONS = {op for op, _ in SIGNS.values()}


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an array whose elements follow each other; 0 along axes of length 1, as no step is taken."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step if n > 1 else 0)
        step *= n
    return tuple(reversed(strides))


def whole(buffer: Buffer, shape: tuple[int, ...] | None = None, start: int = 0) -> View:
    """A stretch of a buffer in order, by default all of it."""
    shape = (buffer.size,) if shape is None else shape
    return View(buffer, start, shape, row_major(shape))


def alike(buffer: Buffer, shape: tuple[int, ...], x: Expression) -> View:
    """All of a buffer as an array whose axes lie in memory in the order of those of the arrays that a term reads."""
    for view in views(x):
        if len(view.shape) == len(shape) and view.batched == buffer.batched and all(view.strides):
            order = sorted(range(len(shape)), key=lambda k: -view.strides[k])
            steps = dict(zip(order, row_major(tuple([shape[k] for k in order]))))
            return View(buffer, 0, shape, tuple([steps[k] for k in range(len(shape))]))
    return whole(buffer, shape)


def views(x: Expression) -> tuple[View, ...]:
    """The arrays that an expression reads, as often as they occur."""
    return x.views if isinstance(x, Term) else (x,) if isinstance(x, View) else ()


def substitute(x: Expression, change: Callable[[View], Expression]) -> Expression:
    """The term with its views replaced."""
    if isinstance(x, View):
        return change(x)
    if not isinstance(x, Term):
        return x
    args = tuple([substitute(arg, change) for arg in x.args])
    return x if all(a is b for a, b in zip(args, x.args)) else Term(x.op, args, x.detail)


def shape_of(x: Expression) -> Shape:
    """The shape of an expression, 1 where one value serves many, and whether it differs by example."""
    if isinstance(x, Term):
        return x.shape
    if isinstance(x, View):
        return tuple([n if step else 1 for n, step in zip(x.shape, x.strides)]), x.buffer.batched
    return (), False


def broadcast(shapes: list[Shape]) -> Shape:
    """The shape of several arrays together; numbers have no axes."""
    if len(set(shapes)) == 1:
        return shapes[0]
    longest = max((shape for shape, _ in shapes), key=len, default=())
    rank = len(longest)
    lengths = zip(*[shape for shape, _ in shapes if len(shape) == rank])
    return tuple([max(n) for n in lengths]), any(batched for _, batched in shapes)


def is_scalar(x: Expression) -> bool:
    """Whether a term is one number."""
    return shape_of(x) == ((), False)


def is_constant(x: Expression) -> bool:
    """Whether a number is known before a run."""
    if isinstance(x, Term):
        simple = x.op in ("multiply", "negative") or (x.op == "divide" and x.args[1] != 0.0)
        return x.op == "examples" or (simple and all(map(is_constant, x.args)))
    return isinstance(x, float)


def expand(x: Expression, axis: int) -> Expression:
    """A term with a new axis; a number has none."""
    return x if is_scalar(x) else Term("expand", (x,), axis)


def total(x: Expression, axes: tuple[Any, ...], shape: tuple[int, ...]) -> Expression:
    """The sum over axes of a term that stands for an array of `shape`: what serves many counts as often."""
    found, batched = shape_of(x)
    kept, times = [], 1.0
    for axis in axes:
        if axis == "e":
            if batched:
                kept.append(axis)
            else:
                x = Term("multiply", (x, Term("examples")))
        elif found and found[axis] == shape[axis]:
            kept.append(axis)
        elif found:
            kept.append(axis)
            times *= shape[axis]
        else:
            times *= shape[axis]
    if times != 1.0:
        x = Term("multiply", (x, times))
    return Term("sum", (x,), tuple(kept)) if kept else x


# Rows of the table, evaluated on numbers that stand for arrays


class Number:
    """A term as an operand of Python's operators."""

    __slots__ = ("term",)

    def __init__(self, term: Expression):
        self.term = term

    def __add__(self, other: Any) -> Number:
        return call("add", self, other)

    def __radd__(self, other: Any) -> Number:
        return call("add", other, self)

    def __sub__(self, other: Any) -> Number:
        return call("subtract", self, other)

    def __rsub__(self, other: Any) -> Number:
        return call("subtract", other, self)

    def __mul__(self, other: Any) -> Number:
        return call("multiply", self, other)

    def __rmul__(self, other: Any) -> Number:
        return call("multiply", other, self)

    def __neg__(self) -> Number:
        return call("negative", self)


def term_of(x: Any) -> Expression:
    """What a number stands for."""
    return x.term if isinstance(x, Number) else float(x)


def call(op: str, *args: Any, detail: Any = None) -> Number:
    """An operation on numbers."""
    return Number(Term(op, tuple([term_of(x) for x in args]), detail))


def word(op: str, of_floats: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the table, for Numbers and floats; where that is not finite, the scalars decide."""
    return lambda *args: call(op, *args) if any(isinstance(x, Number) for x in args) else of_floats(*args)


def choose(x: Any, sign: str, y: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """`yes() if x > y else no()`, or another comparison."""
    op, compare = SIGNS[sign]
    if not isinstance(x, Number) and not isinstance(y, Number):
        return yes() if compare(x, y) else no()
    return call("where", call(op, x, y), yes(), no())


def logsumexp(xs: Number) -> Number:
    """log(sum(exp(x))) along the axis before the examples."""
    axis = len(shape_of(xs.term)[0]) - 1
    top = call("max", xs, detail=(axis,))
    return call("log", call("sum", call("exp", xs - Number(expand(top.term, axis))), detail=(axis,))) + top


def along_list(op: str) -> Callable[[Number], Number]:
    """A reduction along the axis before the examples."""
    return lambda xs: call(op, xs, detail=(len(shape_of(xs.term)[0]) - 1,))


class Words(dict[str, Any]):
    """What the words of the table mean for Numbers: atoms are NumPy's functions, other rows what they are worth."""

    def __missing__(self, name: str) -> Any:
        if name in ATOMS:
            return word(numpy_name(name), SLOPES[name])
        row = TABLE[name]
        return lambda *args: evaluate(row.value, WORDS, {**row.defaults, **dict(zip(row.operands, args))})


def numpy_name(name: str) -> str:
    """The function of NumPy that an atom is, or its own name if NumPy has none."""
    text = ATOMS[name].numpy
    return text[3:] if text.startswith("np.") and text[3:].isidentifier() and name != "sign" else name


WORDS = Words(
    choose=choose, divide=word("divide", divide), power=word("power", power), pi=math.pi, nan=math.nan,
    logsumexp=logsumexp, sum=along_list("sum"), prod=along_list("prod"),
)  # fmt: skip
