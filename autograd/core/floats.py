"""The first kind of number: what the words of the table mean for floats.

Twice: as values, where outside a domain is an error, and as slopes, which may be infinite or may not exist (nan).
"""

from __future__ import annotations

import math
import operator
from math import fsum
from operator import mul

from autograd.core.table import ATOMS, TABLE, called, evaluate, others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from autograd.core.table import Row


def floor(x: float) -> float:
    """The largest whole number that is not above x; of -0.0 itself."""
    return math.copysign(math.floor(x), x) if abs(x) < 2.0**52 else x


def ceil(x: float) -> float:
    """The smallest whole number that is not below x; of -0.5 it is -0.0."""
    return -floor(-x)


def trunc(x: float) -> float:
    """What stands before the point."""
    return math.copysign(floor(abs(x)), x)


def exact_sum(xs: Sequence[float]) -> float:
    """The exact sum, rounded once; -0.0 where every term is, as IEEE 754 has it; nan for infinities of both signs."""
    try:
        return fsum(xs) or (-0.0 if xs and all(math.copysign(1.0, x) < 0 for x in xs) else 0.0)
    except ValueError:
        return math.nan


def sumproduct(ws: Sequence[float], xs: Sequence[float]) -> float:
    """The sum of w x over both lists."""
    try:
        return fsum(map(mul, ws, xs)) or exact_sum(list(map(mul, ws, xs)))
    except ValueError:
        return math.nan


def logsumexp(xs: Sequence[float]) -> float:
    """log(sum(exp(x))), from the largest operand outwards."""
    top = max(xs)
    if not math.isfinite(top):
        return top if top == math.inf and not any(map(math.isnan, xs)) else exact_sum(xs)  # inf beside -inf is inf
    rest = [math.exp(x - top) for x in xs]
    rest.remove(1.0)
    return top + math.log1p(fsum(rest))


def quotient(x: float, y: float) -> float:
    """x / y for a value: an error where y is 0."""
    return x / y


def divide(x: float, y: float) -> float:
    """x / y as IEEE 754 has it: a slope may be infinite where a value may not."""
    if y:
        return x / y
    return math.copysign(math.inf, x) * math.copysign(1.0, y) if x and x == x else math.nan


def power(x: float, y: float) -> float:
    """x ** y as IEEE 754 has it; nan for a negative base and a fractional exponent."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return math.copysign(math.inf, x) if y % 2 == 1 else math.inf
    except ValueError:
        return math.nan if x else math.inf


def checked_power(x: float, y: float) -> float:
    """x ** y for a value: never complex, never infinite by surprise."""
    if x == 0 and y < 0:
        raise ZeroDivisionError("zero to a negative power")
    return math.pow(x, y)


def choose(x: float, sign: str, y: float, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """A conditional expression: one of its branches, the other is never looked at."""
    return yes() if COMPARISONS[sign](x, y) else no()


def total(xs: Sequence[float], out: float) -> float:
    """The sum of exp(x - out) where `out` is the logsumexp of xs: 1, but for the rounding of `out`."""
    return fsum([math.exp(x - out) for x in xs])


# Where words are infinite, as IEEE 754 has it; Python's math raises there what it raises outside their domain
POLES = {
    "log": {0.0: -math.inf},
    "log2": {0.0: -math.inf},
    "log10": {0.0: -math.inf},
    "log1p": {-1.0: -math.inf},
    "atanh": {1.0: math.inf, -1.0: -math.inf},
}


def calm(word: Any, poles: Mapping[float, float] | None = None) -> Any:
    """A word for slopes: infinite or nan where it is not defined for values."""

    def calmed(*operands: Any) -> Any:
        try:
            return word(*operands)
        except OverflowError:
            return math.inf
        except (ArithmeticError, ValueError):
            return poles.get(operands[0], math.nan) if poles else math.nan

    return calmed if callable(word) else word


def function_of_floats(word: str) -> Callable[..., float]:
    """What an atom is for floats, or what any other row is worth."""
    row = TABLE[word] if word not in ATOMS else None
    if row is not None and not row.atom:
        return slope_of_floats(row) if row.is_slope else lambda *data: evaluate(row.value, VALUES, names_of(row, data))
    meaning: Any = called(word, "floats")
    if not isinstance(meaning, str):
        return meaning
    module, _, name = meaning.rpartition(".")
    if meaning in globals() or module:
        return getattr(globals()[module], name) if module else globals()[name]
    names = "xy"
    return lambda *data: evaluate(meaning, {"choose": choose}, dict(zip(names, data)))


def slope_of_floats(row: Row) -> Callable[..., float]:
    """The value of a row that is a slope: no error, but where the row that it is the slope of has one."""

    def slope(*data: float) -> float:
        names = names_of(row, data)
        if row.domain:
            VALUES[row.domain](*[names[x] for x in TABLE[row.domain].operands])
        return evaluate(row.value, SLOPES, names)

    return slope


def names_of(row: Row, data: Sequence[Any]) -> dict[str, Any]:
    """The variables of a row's value: its operands, and `n` where they are a list."""
    return {**row.defaults, **dict(zip(row.operands, data)), "n": float(len(data[0])) if row.lists else 1.0}


def define(word: str) -> None:
    """Let an atom or a row be a word, from now on, for values and for slopes."""
    VALUES[word] = function_of_floats(word)
    SLOPES[word] = calm(VALUES[word], POLES.get(word))


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class Words(dict[str, "Any"]):
    """Words and what they mean; a slope that is made from a row becomes one when it is first asked for."""

    def __missing__(self, word: str) -> Any:
        define(word)
        return self[word]


VALUES = Words({"pi": math.pi, "nan": math.nan, "choose": choose, "divide": quotient, "power": checked_power})
SLOPES = Words({**VALUES, "divide": divide, "power": power, "others": others, "total": calm(total)})
for _word in (*ATOMS, *TABLE):
    define(_word)
