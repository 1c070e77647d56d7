"""The first kind of number: what the words of the table mean for floats.

Twice: as values, where outside a domain is an error, and as slopes, which may be infinite or may not exist (nan).
"""

from __future__ import annotations

import math
import operator
from math import fsum
from operator import eq, ge, gt, le, lt, mul, ne

from autograd.core.table import ATOMS, TABLE, OnDemand, called, evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any


def floor(x: float) -> float:
    """The largest whole number that is not above x; of -0.0 itself."""
    return math.copysign(math.floor(x), x) if abs(x) < 2.0**52 else x


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


def real_power(x: float, y: float) -> float:
    """x ** y for a value: never complex, never infinite by surprise."""
    if x == 0 and y < 0:
        raise ZeroDivisionError("zero to a negative power")
    return math.pow(x, y)


COMPARISONS = {">": gt, ">=": ge, "<": lt, "<=": le, "==": eq, "!=": ne}


def choose(x: float, sign: str, y: float, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """A conditional expression: one of its branches, the other is never looked at."""
    return yes() if COMPARISONS[sign](x, y) else no()


def calm(word: Any, poles: Mapping[float, float] | None = None) -> Any:
    """A word for slopes: infinite or nan where it is not defined for values."""

    def calmed(*operands: Any) -> Any:
        try:
            return word(*operands)
        except OverflowError:
            return math.inf
        except (ArithmeticError, ValueError):
            return poles.get(operands[0], math.nan) if poles else math.nan

    return calmed


def function(word: str) -> Callable[..., Any]:
    """What an atom or a row is worth. A slope has no error, but where the operation that it is the slope of has one."""
    is_atom = word in ATOMS or TABLE[word].atom
    meaning = called(word, "floats") if is_atom else TABLE[word].value
    if callable(meaning):
        return meaning
    module, _, name = meaning.rpartition(".")
    if is_atom and name.isidentifier():
        return {"": globals(), "math": vars(math), "operator": vars(operator)}[module][name]
    row = TABLE[word]

    def worth(*data: Any) -> float:
        names = {**row.defaults, **dict(zip(row.operands, data)), "n": float(len(data[0])) if row.lists else 1.0}
        if row.domain:
            VALUES[row.domain](*[names[x] for x in TABLE[row.domain].operands])
        return evaluate(meaning, SLOPES if row.is_slope else VALUES, names)

    return worth


# Where words are infinite, as IEEE 754 has it; Python's math raises there what it raises outside their domain
POLES: dict[str, dict[float, float]] = {word: {0.0: -math.inf} for word in ("log", "log2", "log10")}
POLES["log1p"], POLES["atanh"] = {-1.0: -math.inf}, {1.0: math.inf, -1.0: -math.inf}

VALUES = OnDemand(function, pi=math.pi, nan=math.nan, choose=choose, divide=vars(operator)["truediv"], power=real_power)
SLOPES = OnDemand(lambda word: calm(VALUES[word], POLES.get(word)), **{**VALUES, "divide": divide, "power": power})
for _word in (*ATOMS, *TABLE):
    SLOPES[_word]
