"""The slope of a row is a row itself: `powʹx` is the derivative of `pow` with respect to its operand x.

In a gradient that is a graph, a partial that has poles, choices or an end is one node of such a row. Its value is the
partial as slopes are, infinite or nan instead of an error, and of a choice only the branch that is taken. Its own
partials are the derivatives of that text, found by evaluating it on one more kind of number, a term that knows its
derivative; every rule for that comes from the table again. So there are derivatives of every order, and whatever reads
rows (the eager engine, the compiler, explanations) reads these.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

from autograd.compatibility import infix
from autograd.core.floats import COMPARISONS, VALUES
from autograd.core.table import ATOMS, PRIME, TABLE, OnDemand, Row, evaluate
from autograd.kinds import Kind

# Words that no number is outside the domain of: finite wherever their operands are
TAME = frozenset(
    "abs sign step floor ceil trunc sin cos tanh erf erfc atan atan2 asinh maximum minimum sigmoid".split()
)
# Words that may overflow, and otherwise are defined everywhere
OVERFLOWING = frozenset("exp expm1 exp2 sinh cosh hypot cbrt softplus".split())
SUMS_AND_PRODUCTS = frozenset("sum sumproduct prod".split())
AFTER = f"after{PRIME}"  # of x and y is x, computed once y has been: there is none outside the domain of y


# Terms: text that is added and multiplied ---------------------------------------------------------------------------


class TextTerm:
    """An expression of the table as a sum of products, `{product: its factor}`; the product of a constant is "".

    Sums are collected, so that (1 - x) - (1 + x) is -2 x, to the last digit of a small x as well.
    """

    def __init__(self, products: Mapping[str, float]):
        self.products = products

    def __add__(self, other: TermOrFloat) -> TermOrFloat:
        total = dict(self.products)
        for product, factor in products(other).items():
            total[product] = total.get(product, 0.0) + factor
        return collected(total)

    def __radd__(self, other: float) -> TermOrFloat:
        return self + other

    def __sub__(self, other: TermOrFloat) -> TermOrFloat:
        return self + -other

    def __rsub__(self, other: float) -> TermOrFloat:
        return -self + other

    def __neg__(self) -> TextTerm:
        return TextTerm({product: -factor for product, factor in self.products.items()})

    def __mul__(self, other: TermOrFloat) -> TermOrFloat:
        if not isinstance(other, TextTerm):
            return collected({product: factor * other for product, factor in self.products.items()})
        (left, x), (right, y) = single(self), single(other)
        return TextTerm({f"{left} * {f'({right})' if '/' in right else right}": x * y})

    def __rmul__(self, other: float) -> TermOrFloat:
        return self * other


TermOrFloat = TextTerm | float


def products(x: TermOrFloat) -> Mapping[str, float]:
    """A term's products and their factors."""
    return x.products if isinstance(x, TextTerm) else {"": x}


def collected(total: dict[str, float]) -> TermOrFloat:
    """The sum of these products, a number if that is all."""
    total = {product: factor for product, factor in total.items() if factor != 0}
    return TextTerm(total) if total.keys() - {""} else total.get("", 0.0)


def single(x: TextTerm) -> tuple[str, float]:
    """A term as one product and its factor."""
    if len(x.products) == 1:
        return next(iter(x.products.items()))
    return f"({text_of_term(x)})", 1.0


def text_of_term(x: TermOrFloat) -> str:
    """An expression as it is written in the table."""
    written = ""
    for product, factor in products(x).items():
        size = repr(abs(factor)).replace("inf", "1e999")
        part = size if not product else product if abs(factor) == 1 else f"{size} * {product}"
        sign = "-" if math.copysign(1.0, factor) < 0 else "+"
        written = f"{written} {sign} {part}" if written else part if sign == "+" else f"-{part}"
    return written


def enclosed(x: TermOrFloat) -> str:
    """An expression as a factor: in parentheses unless it is a name, a call or in parentheses already."""
    written = text_of_term(x)
    if not isinstance(x, TextTerm) and x >= 0:
        return written
    depth, name = 0, written.partition("(")[0]
    if not name or name.isidentifier():
        for i, letter in enumerate(written):
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if letter == ")" and not depth:
                return written if i == len(written) - 1 else f"({written})"
        return written
    return f"({written})"


def divide(x: TermOrFloat, y: TermOrFloat) -> TermOrFloat:
    """X / y."""
    if not isinstance(y, TextTerm) and y != 0:
        return x / y if not isinstance(x, TextTerm) else x * (1 / y) if abs(math.frexp(y)[0]) == 0.5 else quotient(x, y)
    return quotient(x, y)


def quotient(x: TermOrFloat, y: TermOrFloat) -> TextTerm:
    """X / y, written as a quotient."""
    product, factor = single(x) if isinstance(x, TextTerm) else (repr(abs(x)), math.copysign(1.0, x))
    if abs(factor) != 1:
        product, factor = (f"{abs(factor)!r} * {product}"), math.copysign(1.0, factor)
    return TextTerm({f"{product} / {enclosed(y)}": factor})


def power(x: TermOrFloat, y: TermOrFloat) -> TermOrFloat:
    """X ** y."""
    if not isinstance(y, TextTerm) and y in (0.0, 1.0):
        return x if y else 1.0
    return TextTerm({f"{enclosed(x)} ** {enclosed(y)}": 1.0})


def choose(
    x: TermOrFloat, sign: str, y: TermOrFloat, yes: Callable[[], TermOrFloat], no: Callable[[], TermOrFloat]
) -> TermOrFloat:
    """`yes() if x > y else no()`, decided between numbers."""
    if not isinstance(x, TextTerm) and not isinstance(y, TextTerm):
        return yes() if COMPARISONS[sign](x, y) else no()
    if (a := text_of_term(yes())) == (b := text_of_term(no())):
        return yes()
    return TextTerm({f"({a} if {text_of_term(x)} {sign} {text_of_term(y)} else {b})": 1.0})


def words_calling(call: Callable[..., Any], **others: Any) -> OnDemand:
    """What the words of the table mean for a kind of number; `call` is told the name of any other one."""
    return OnDemand(lambda name: functools.partial(call, name), **{"pi": math.pi, "nan": math.nan, **others})


def call(name: str, *operands: TermOrFloat) -> TermOrFloat:
    """A function of the table, a number if it is one of numbers."""
    if (name in TABLE or name in ATOMS) and not any(isinstance(x, TextTerm) for x in operands):
        return VALUES[name](*operands)
    return TextTerm({f"{name}({', '.join(map(text_of_term, operands))})": 1.0})


TERMS = words_calling(call, divide=divide, power=power, choose=choose)


# Terms with their derivatives --------------------------------------------------------------------------------------


class Moving(Kind):
    """A term and its derivative with respect to some variable."""

    def __init__(self, value: TermOrFloat, slope: TermOrFloat):
        self.value, self.slope = value, slope

    def combine(self, name: str, *operands: Moving | float) -> Moving:
        """A row on moving terms."""
        return moving(name, *operands)


def at_rest(x: Moving | float) -> Moving:
    """A number as one that does not move; the slope of what is not a number is none either."""
    return x if isinstance(x, Moving) else Moving(x, math.nan if math.isnan(x) else 0.0)


def moving(name: str, *operands: Moving | float) -> Moving:
    """A row on moving terms: its value, and by the chain rule the sum of partial times slope."""
    if name not in TABLE:
        raise TypeError(
            f"{name} is a function of floats, so its derivative is not known: declare it as an operation of its own, "
            f"primitive({name!r}, ...) with its derivative, to differentiate twice what has it for a partial"
        )
    row, given = TABLE[name], [at_rest(x) for x in operands]
    given += [Moving(row.defaults[x], 0.0) for x in row.operands[len(given) :]]
    names: dict[str, Any] = {x: operand.value for x, operand in zip(row.operands, given)}
    value = evaluate(row.value, TERMS, names) if infix(row) else TERMS[name](*names.values())
    slope: TermOrFloat = 0.0
    for operand, partial in zip(given, row.partials):
        if isinstance(operand.slope, TextTerm) or operand.slope != 0:
            slope = slope + evaluate(partial, TERMS, names | {"out": value}) * operand.slope
    return Moving(value, slope)


def moving_choice(
    x: Moving | float,
    sign: str,
    y: Moving | float,
    yes: Callable[[], Moving | float],
    no: Callable[[], Moving | float],
) -> Moving:
    """A choice moves as the branch that is taken."""
    given = at_rest(x).value, sign, at_rest(y).value
    value = choose(*given, lambda: at_rest(yes()).value, lambda: at_rest(no()).value)
    return Moving(value, choose(*given, lambda: at_rest(yes()).slope, lambda: at_rest(no()).slope))


MOVING = words_calling(
    moving,
    divide=functools.partial(moving, "div"),
    power=functools.partial(moving, "pow"),
    choose=moving_choice,
)


def derivative(expression: str, variable: str, names: tuple[str, ...]) -> str:
    """The derivative of an expression of the table with respect to one of its names.

    >>> derivative("x * exp(-x)", "x", ("x",))
    'exp(-x) - x * exp(-x)'
    """
    variables = {name: Moving(TextTerm({name: 1.0}), float(name == variable)) for name in names}
    return text_of_term(at_rest(evaluate(expression, MOVING, variables)).slope)


# Rows --------------------------------------------------------------------------------------------------------------


class Used(dict[str, Any]):
    """Names that remember which of them were asked for."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)


def derive(name: str) -> Row:
    """The row of a slope by its name."""
    if name == AFTER:
        return Row(AFTER, "x if y == y else x", "1", "0", operands="x, y")
    if PRIME not in name:
        raise KeyError(f"the table has no operation {name!r}")
    of, _, operand = name.rpartition(PRIME)
    row = TABLE[of]
    return slope_row(row, elements(row).index(operand))


def name_of_slope(row: Row, position: int) -> str:
    """What the derivative of a row with respect to one of its operands is called."""
    return f"{row.name}{PRIME}{elements(row)[position]}"


def slope_row(row: Row, position: int) -> Row:
    """The derivative of a row with respect to one of its operands, as a row.

    Its operands are those that the partial is written in, and the result under the name `out_`. Where the partial
    would exist outside the domain of the row, as 1 / x does for the logarithm, it is none there.
    """
    variables = [*elements(row), "rest", "total", "n"]
    terms = Used({x: TextTerm({x: 1.0}) for x in variables} | {"out": TextTerm({"out_": 1.0})})
    partial = text_of_term(evaluate(row.partials[position], TERMS, terms))
    domain = row.domain if row.is_slope else "" if "out" in terms.asked or is_total(row) else row.name
    if domain and not row.is_slope:
        value = text_of_term(evaluate(row.value, TERMS, terms))
        partial = f"{partial} if {value} == {value} else nan"
    needed = {*terms.asked, *(TABLE[domain].operands if domain else ())}
    names = tuple("out_" if x == "out" else x for x in terms if x in needed)
    partials = tuple(derivative(partial, x, names) for x in names)
    return Row(name_of_slope(row, position), partial, *partials, operands=", ".join(names), domain=domain)


def elements(row: Row) -> list[str]:
    """What each partial of a row is the derivative with respect to: an operand, or an element of one."""
    return [x[:-1] if x in row.lists else x for x in row.operands]


class WildError(ValueError):
    """An expression has a pole, a choice or an end, or may overflow."""


def refuse_wild(*_: Any) -> Any:
    """Refuse what is not tame."""
    raise WildError


def holds_only(
    allowed: frozenset[str], expression: str, row: Row, choices: bool = False, quotients: bool = False
) -> bool:
    """Whether an expression in the words of a row is made of sums, products, numbers and these words."""
    unknown = TextTerm({"unknown": 1.0})

    def called(name: str, *operands: TermOrFloat) -> TermOrFloat:
        if any(isinstance(x, TextTerm) for x in operands):
            return unknown if name in allowed else refuse_wild()
        return TERMS[name](*operands)

    def divided(x: TermOrFloat, y: TermOrFloat) -> TermOrFloat:
        return unknown if quotients or not isinstance(y, TextTerm) else refuse_wild()

    def either(
        x: TermOrFloat, sign: str, y: TermOrFloat, yes: Callable[[], TermOrFloat], no: Callable[[], TermOrFloat]
    ) -> TermOrFloat:
        return (yes(), no())[0] if choices else refuse_wild()

    names = dict.fromkeys((*row.operands, *elements(row), "rest", "total", "out"), unknown) | {"n": 2.0}
    try:
        evaluate(expression, words_calling(called, divide=divided, power=refuse_wild, choose=either), names)
    except WildError:
        return False
    return True


@functools.cache
def is_total(row: Row) -> bool:
    """Whether a row is defined for all numbers, overflow aside."""
    return holds_only(TAME | OVERFLOWING, row.value, row, choices=True)


@functools.cache
def never_raises(row: Row) -> bool:
    """Whether a row has a value for all numbers; sums and products are taken to have one."""
    return not row.domain if row.is_slope else holds_only(TAME | SUMS_AND_PRODUCTS, row.value, row, choices=True)


@functools.cache
def is_bounded(row: Row) -> bool:
    """Whether a row is finite wherever its operands are."""
    return holds_only(TAME, row.value, row, choices=True)


@functools.cache
def is_tame(row: Row, position: int) -> bool:
    """Whether a partial can be written out with the operations of Values: it has no choices, poles or ends.

    The reciprocal in the slopes of a quotient is defined where the quotient is.
    """
    return holds_only(TAME, row.partials[position], row, quotients=infix(row) == "/")
