"""Symbols: the third kind of number that a row can be evaluated on, which says what it is instead of what it is worth.

A symbol is simplified where it is made, as a reader would simplify it: sums are opened and equal terms collected,
equal factors are powers, factors 1 and summands 0 are dropped. `notation` writes symbols; nothing else takes them
apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial
from typing import Any

from autograd.calculus.slopes import words_calling
from autograd.core.floats import COMPARISONS, SLOPES
from autograd.core.table import TABLE
from autograd.explaining.pathsum import ieee_sum


class Symbol:
    """A formula. `key` tells whether two are written alike."""

    @cached_property
    def key(self) -> tuple:
        """What the symbol is made of, as a tuple that can be compared."""
        return (type(self).__name__, *(keyed(getattr(self, part.name)) for part in fields(self)))  # type: ignore[arg-type]

    def __add__(self, other: Any) -> Symbol:
        return total([self, symbol(other)])

    def __radd__(self, other: Any) -> Symbol:
        return total([symbol(other), self])

    def __sub__(self, other: Any) -> Symbol:
        other = symbol(other)
        return total([self, Product(-1.0, 1.0, ((other, 1.0),)) if isinstance(other, Sum) else -other])

    def __rsub__(self, other: Any) -> Symbol:
        return symbol(other) - self

    def __mul__(self, other: Any) -> Symbol:
        return product([self, symbol(other)])

    def __rmul__(self, other: Any) -> Symbol:
        return product([symbol(other), self])

    def __truediv__(self, other: Any) -> Symbol:
        return divide(self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return divide(other, self)

    def __pow__(self, other: Any) -> Symbol:
        return power(self, other)

    def __rpow__(self, other: Any) -> Symbol:
        return power(other, self)

    def __neg__(self) -> Symbol:
        return Number(-self.value) if isinstance(self, Number) else product([Number(-1.0), self])


@dataclass(frozen=True, eq=False)
class Number(Symbol):
    """A plain number."""

    value: float


@dataclass(frozen=True, eq=False)
class Several(Symbol):
    """What is a number in each of several formulas that are written as one, and not the same in all: ±1, 0.2 to 0.9."""

    values: tuple[float, ...]  # two or more, in their order

    @property
    def both_signs(self) -> bool:
        """Whether the numbers are x and -x."""
        return len(self.values) == 2 and self.values[0] == -self.values[1]


@dataclass(frozen=True, eq=False)
class Name(Symbol):
    """What a quantity is called."""

    label: str


@dataclass(frozen=True, eq=False)
class Blank(Symbol):
    """A quantity for whose name there is no room; each is one of its own."""

    number: int


@dataclass(frozen=True, eq=False)
class BareOperation(Symbol):
    """An operation without its operands, for which there is no room."""

    label: str


@dataclass(frozen=True, eq=False)
class Dots(Symbol):
    """The terms or factors that are left out of a long row."""


@dataclass(frozen=True, eq=False)
class Sum(Symbol):
    """A sum of two terms or more; those that are subtracted are negative numbers or products."""

    terms: tuple[Symbol, ...]

    @cached_property
    def key(self) -> tuple:
        """Whatever the order of the terms."""
        return "Sum", frozenset(map(keyed, self.terms))


@dataclass(frozen=True, eq=False)
class Product(Symbol):
    """`numerator / denominator` times the product of `base ** exponent` over the powers."""

    numerator: float
    denominator: float
    powers: tuple[tuple[Symbol, float], ...]

    @cached_property
    def key(self) -> tuple:
        """Whatever the order of the factors."""
        return "Product", self.numerator, self.denominator, frozenset(map(keyed, self.powers))


@dataclass(frozen=True, eq=False)
class Power(Symbol):
    """A power whose exponent is not a number."""

    base: Symbol
    exponent: Symbol


@dataclass(frozen=True, eq=False)
class Call(Symbol):
    """A function of its operands."""

    function: str
    operands: tuple[Symbol, ...]


@dataclass(frozen=True, eq=False)
class Relation(Symbol):
    """A comparison: > >= < <= == or !=."""

    left: Symbol
    sign: str
    right: Symbol

    @property
    def opposite(self) -> Relation:
        """The comparison that holds when this one does not."""
        return Relation(self.left, _OPPOSITE[self.sign], self.right)


@dataclass(frozen=True, eq=False)
class Choice(Symbol):
    """One formula where the comparison holds, another where it does not."""

    test: Relation
    yes: Symbol
    no: Symbol


PI = Name("pi")
_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}


def symbol(x: Any) -> Any:
    """A number as a symbol; a symbol as it is."""
    return x if isinstance(x, Symbol) else Number(float(x))


def keyed(part: Any) -> Any:
    """A part of a symbol as something that can be compared."""
    if isinstance(part, Symbol):
        return part.key
    return tuple(map(keyed, part)) if isinstance(part, tuple) else part


# Algebra -----------------------------------------------------------------------------------------------------------


def total(terms: Iterable[Symbol]) -> Symbol:
    """The sum. A 0 that is subtracted stays: it is often a target, and a - 0 is an error, not an activation."""
    counted: dict[Any, tuple[float, Symbol]] = {}
    for term in (part for whole in terms for part in (whole.terms if isinstance(whole, Sum) else [whole])):
        match term:
            case Number(x):
                times, what, sign = x, Number(1.0), 0.0
            case Product(numerator, denominator, powers) if math.isfinite(numerator):
                times, what = numerator, fraction(1.0, denominator, powers)
                sign = math.copysign(1.0, numerator)  # a - (a - b) is not b: what a reader wrote is not cancelled
            case _:
                times, what, sign = 1.0, term, 1.0
        before = counted.get((sign, what.key))
        if before and math.isinf(before[0] + times) and math.isfinite(before[0]):  # 1e308 x + 1e308 x stays a sum
            counted[sign, what.key, len(counted)] = times, what
        elif before is None:
            counted[sign, what.key] = times, what
        elif not isinstance(term, Dots):
            same = max(before[1], what, key=exponents)  # 3 s^2 x, not 3 x s^2
            counted[sign, what.key] = before[0] + times, same
    found = [multiple(times, what) for times, what in counted.values() if times or math.copysign(1.0, times) < 0]
    first = next((i for i, term in enumerate(found) if not is_negative(term)), 0)
    found = [*found[first : first + 1], *found[:first], *found[first + 1 :]]  # y - x, not -x + y
    return Sum(tuple(found)) if len(found) > 1 else found[0] if found else Number(0.0)


def multiple(times: float, what: Symbol) -> Symbol:
    """A term of a sum."""
    if isinstance(what, Number) and what.value == 1:
        return Number(times)
    return (
        Product(-1.0, 1.0, ((what, 1.0),)) if times == -1 and isinstance(what, Sum) else product([Number(times), what])
    )


def exponents(term: Symbol) -> tuple[float, ...]:
    """The exponents of a product, in the order in which it is written."""
    return tuple(n for _, n in term.powers) if isinstance(term, Product) else ()


def product(factors: Iterable[Symbol]) -> Symbol:
    """The product: numbers first, equal factors as powers."""
    numerator = denominator = 1.0
    powers: dict[Any, tuple[Symbol, float]] = {}
    for factor in factors:
        match factor:
            case Number(above):
                below, parts = 1.0, ()
            case Product(above, below, parts):
                pass
            case _:
                above, below, parts = 1.0, 1.0, ((factor, 1.0),)
        if lost(numerator, above) or lost(denominator, below):  # 1e200 times 1e200 is not infinite as a formula
            numbers = ((Number(above), 1.0), (Number(below), -1.0))
            above, below, parts = 1.0, 1.0, (*parts, *((x, n) for x, n in numbers if x.value != 1))
        numerator, denominator = numerator * above, denominator * below
        for base, exponent in parts:
            key = base.key, exponent > 0  # a / (b a) is not 1 / b: what a reader wrote is not cancelled
            before = powers[key][1] if key in powers and not isinstance(base, Dots) else 0.0
            powers[key] = base, before + exponent
    found = [(base, n) for base, n in powers.values() if n]
    found.sort(key=lambda power: not isinstance(power[0], (Number, Several)))
    return fraction(numerator, denominator, tuple(found))


def fraction(numerator: float, denominator: float, powers: tuple[tuple[Symbol, float], ...]) -> Symbol:
    """`numerator / denominator` times the powers, without what is 1."""
    if not numerator:
        return Number(0.0)
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if denominator and math.isfinite(numerator) and numerator % denominator == 0:
        numerator, denominator = numerator / denominator, 1.0
    if denominator == 1 and not powers:
        return Number(numerator)
    if denominator == 1 and len(powers) == 1 and powers[0][1] == 1:
        base = powers[0][0]
        if numerator == 1:
            return base
        if numerator == -1 and isinstance(base, Sum) and any(map(is_negative, base.terms)):
            return total([-term for term in base.terms])  # -(x - y) is y - x
    return Product(numerator, denominator, powers)


def lost(x: float, y: float) -> bool:
    """Whether the product of two numbers is too large or too small for a float."""
    return bool(x and y) and math.isfinite(x) and math.isfinite(y) and (not x * y or math.isinf(x * y))


def is_negative(term: Symbol) -> bool:
    """Whether a term is written with a minus."""
    return sign_of(term) == "-"


def sign_of(term: Symbol) -> str:
    """The sign that a term is written with."""
    base, n = term.powers[0] if isinstance(term, Product) and term.powers else (term, 1.0)
    if isinstance(base, Several) and base.both_signs and n == 1:
        return "±"
    match term:
        case Number(x) | Product(x, _, _) if math.copysign(1.0, x) < 0:
            return "-"
    return ""


def divide(x: Any, y: Any) -> Symbol:
    """x / y"""
    match symbol(y):
        case Number(below):
            return product([symbol(x), fraction(1.0, below, ())])
        case Product(above, below, powers):
            return product([symbol(x), fraction(below, above, tuple((base, -n) for base, n in powers))])
    return product([symbol(x), Product(1.0, 1.0, ((symbol(y), -1.0),))])


def power(x: Any, y: Any) -> Symbol:
    """x to the power y"""
    match symbol(x), symbol(y):
        case base, Number(1.0):
            return base
        case _, Number(0.0):
            return Number(1.0)
        case Number(a), Number(b) if 0 <= b <= 10 and b == int(b) and not math.isinf(worth := power_of_numbers(a, b)):
            return Number(worth)
        case Product(1.0, 1.0, ((base, n),)), Number(m) if n == int(n) and m == int(m):
            return product([Product(1.0, 1.0, ((base, n * m),))])
        case base, Number(n) if math.isfinite(n):
            return Product(1.0, 1.0, ((base, n),))
        case base, exponent:
            return Power(base, exponent)
    raise AssertionError


def power_of_numbers(a: float, b: float) -> float:
    """a to the power b, infinite where it is larger than any float."""
    try:
        return a**b
    except OverflowError:
        return math.inf


# The words of the table --------------------------------------------------------------------------------------------


def choose(x: Any, sign: str, y: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Symbol:
    """Both branches, or the one that holds where two plain numbers, or twice the same, are compared."""
    test = Relation(symbol(x), sign, symbol(y))
    match test.left, test.right:
        case Number(a), Number(b):
            return symbol(yes() if COMPARISONS[sign](a, b) else no())
        case left, right if left.key == right.key:
            return symbol(yes() if COMPARISONS[sign](0.0, 0.0) else no())
    return Choice(test, symbol(yes()), symbol(no()))


def call(function: str, *operands: Any) -> Symbol:
    """A function of symbols, of numbers, or of a list of them."""
    listed = (item for x in operands for item in (x if isinstance(x, (list, tuple)) else [x]))
    return Call(function, tuple(map(symbol, listed)))


def sumproduct(xs: Sequence[Symbol], ys: Sequence[Symbol]) -> Symbol:
    """The sum of x y over both lists."""
    return total([x * y for x, y in zip(xs, ys)])


# Every other function is a call, those of the user's own as well
WORDS = words_calling(
    call,
    sum=total,
    prod=product,
    sumproduct=sumproduct,
    divide=divide,
    power=power,
    choose=choose,
    pi=PI,
    nan=Number(math.nan),
)


def contains(formula: Any, kind: type) -> bool:
    """Whether a kind of symbol occurs in a formula."""
    if isinstance(formula, tuple):
        return any(contains(part, kind) for part in formula)
    if not isinstance(formula, Symbol):
        return False
    return isinstance(formula, kind) or any(contains(getattr(formula, x.name), kind) for x in fields(formula))  # type: ignore[arg-type]


def worth(formula: Any, of_name: Callable[[str], float]) -> float:
    """What a formula is worth, given what its names are; nan where that is not defined."""
    value = partial(worth, of_name=of_name)
    match formula:
        case Number(x):
            return x
        case Name(label):
            return math.pi if formula is PI else of_name(label)
        case Sum(terms):
            return ieee_sum(map(value, terms))
        case Product(numerator, denominator, powers):
            return SLOPES["divide"](numerator, denominator) * math.prod(SLOPES["power"](value(b), n) for b, n in powers)
        case Power(base, exponent):
            return SLOPES["power"](value(base), value(exponent))
        case Call(function, operands):
            xs = list(map(value, operands))
            return SLOPES[function](*([xs] if function in TABLE and TABLE[function].lists else xs))
    return math.nan


def names_in(formula: Any) -> Iterable[str]:
    """The names that occur in a formula, from left to right."""
    if isinstance(formula, tuple):
        for part in formula:
            yield from names_in(part)
    elif isinstance(formula, Name):
        if formula is not PI:
            yield formula.label
    elif isinstance(formula, Symbol):
        for x in fields(formula):  # type: ignore[arg-type]
            yield from names_in(getattr(formula, x.name))
