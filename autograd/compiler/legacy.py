"""The words of the table as functions of floats whose source a program can carry along."""

import math
import operator
from typing import Any

from autograd.core.floats import VALUES, divide, floor, power

__all__ = ["FLOATS", "divide", "power"]


def maximum(x: float, y: float) -> float:
    """The larger operand; nan when either is."""
    return x if x > y or x != x else y


def minimum(x: float, y: float) -> float:
    """The smaller operand; nan when either is."""
    return x if x < y or x != x else y


def sign(x: float) -> float:
    """-1, 0 or 1; nan for nan."""
    return 1.0 if x > 0 else -1.0 if x < 0 else x


def step(x: float) -> float:
    """1 above 0, else 0; nan for nan."""
    return 1.0 if x > 0 else 0.0 if x <= 0 else x


def ceil(x: float) -> float:
    """The smallest whole number that is not below x."""
    return math.copysign(math.ceil(x), x) if abs(x) < 2.0**52 else x


def trunc(x: float) -> float:
    """What stands before the point."""
    return math.copysign(math.trunc(x), x) if abs(x) < 2.0**52 else x


def products_of_others(xs: list) -> list:
    """For each element the product of all the others."""
    before, after = [1.0], [1.0]
    for x, y in zip(xs[:-1], xs[:0:-1]):
        before.append(x * before[-1])
        after.append(y * after[-1])
    return [left * right for left, right in zip(before, reversed(after))]


def mod(x: float, y: float) -> float:
    """The remainder of x / y, with the sign of y."""
    return x % y


def logsumexp(xs: list[float]) -> float:
    """log(sum(exp(x))), from the largest operand outwards."""
    top = max(xs)
    if not math.isfinite(top):
        return top if top == math.inf and not any(map(math.isnan, xs)) else math.fsum(xs)
    rest = [math.exp(x - top) for x in xs]
    rest.remove(1.0)
    return top + math.log1p(math.fsum(rest))


def sumproduct(ws: list[float], xs: list[float]) -> float:
    """The sum of w x over both lists."""
    return math.fsum(map(operator.mul, ws, xs))


FLOATS: dict[str, Any] = {
    **VALUES,
    **{f.__name__: f for f in (maximum, minimum, sign, step, mod, logsumexp, sumproduct, floor, ceil, trunc)},
    "abs": abs,
    "pow": VALUES["power"],
    "sum": math.fsum,
    "products_of_others": products_of_others,
}
for _word in ("choose", "divide", "power"):
    del FLOATS[_word]
