"""The table of primitives: one row per operation.

A row says what an operation is worth and how fast it changes with each operand, once, as text that reads like the back
of a calculus book. Every reader takes its rules from here: the eager engine (floats), derivatives of derivatives
(Values), compiled programs (NumPy arrays), explanations (LaTeX), the page (JavaScript) and the documentation.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Primitive:
    """One row: `value` and `partials` are Python expressions in the operands and the result, `out`.

    Operands are numbers, or lists of `n` numbers (those in `lists`). The partial with respect to a list is that of one
    element, `x` of `xs`; there `rest` is the product of the other elements.
    """

    name: str
    value: str
    partials: tuple[str, ...]
    operands: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    defaults: dict[str, float] = field(default_factory=dict)
    note: str = ""
    is_slope: bool = False  # made from another row's partial: infinite or nan in place of an error
    domain: str = ""  # of a slope: the row that must have a value where this one is asked for

    def __hash__(self) -> int:
        return hash((self.name, self.value, self.partials))

    @property
    def variadic(self) -> bool:
        """Whether the operation takes any number of numbers."""
        return bool(self.lists)

    @cached_property
    def infix(self) -> str:
        """The operator between two operands (`+ - * / **`), `-` for a negation, else an empty string."""
        symbols = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.USub: "-"}
        match ast.parse(self.value, mode="eval").body:
            case ast.BinOp(ast.Name(), operator, ast.Name()) | ast.UnaryOp(operator, ast.Name()):
                return symbols.get(type(operator), "")
        return ""


# An expression on any kind of number -------------------------------------------------------------------------------

SIGNS = {"Gt": ">", "GtE": ">=", "Lt": "<", "LtE": "<=", "Eq": "==", "NotEq": "!="}
_OPERATORS = {"Add": operator.add, "Sub": operator.sub, "Mult": operator.mul}
Meaning = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
_meanings: dict[str, Meaning] = {}


def evaluate(text: str, words: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
    """An expression of the table on some kind of number: `names` are its variables, `words` what its functions mean.

    A kind of number has the operators `+ - *` and `-x`; the rest are words: `x / y` is `divide(x, y)`, `x ** y` is
    `power(x, y)`, and `a if x > y else b` is `choose(x, ">", y, lambda: a, lambda: b)`. Constants are floats.

    >>> evaluate("2 * x / y", {"divide": lambda x, y: f"{x} over {y}"}, {"x": 3.0, "y": "four"})
    '6.0 over four'
    """
    if text not in _meanings:
        _meanings[text] = _meaning(ast.parse(text, mode="eval").body)
    return _meanings[text](words, names)


def _meaning(tree: ast.expr) -> Meaning:
    """A syntax tree as a function of words and names, made of the functions of its parts."""
    match tree:
        case ast.Constant(int() | float() as constant):
            number = float(constant)
            return lambda words, names: number
        case ast.Name(name):
            return lambda words, names: names[name] if name in names else words[name]
        case ast.UnaryOp(ast.USub(), part):
            x = _meaning(part)
            return lambda words, names: -x(words, names)
        case ast.BinOp(left, ast.Div() | ast.Pow() as op, right):
            x, y, word = _meaning(left), _meaning(right), "divide" if isinstance(op, ast.Div) else "power"
            return lambda words, names: words[word](x(words, names), y(words, names))
        case ast.BinOp(left, op, right) if type(op).__name__ in _OPERATORS:
            x, y, combine = _meaning(left), _meaning(right), _OPERATORS[type(op).__name__]
            return lambda words, names: combine(x(words, names), y(words, names))
        case ast.IfExp(ast.Compare(left, [comparison], [right]), body, orelse):
            x, y, a, b = map(_meaning, (left, right, body, orelse))
            sign = SIGNS[type(comparison).__name__]
            return lambda words, names: words["choose"](
                x(words, names), sign, y(words, names), lambda: a(words, names), lambda: b(words, names)
            )
        case ast.Call(ast.Name(name), parts, []):
            arguments = [_meaning(part) for part in parts]
            return lambda words, names: words[name](*[x(words, names) for x in arguments])
    raise ValueError(f"{ast.unparse(tree)!r} is not in the language of the table")


def declaration(name: str, value: str, *partials: str, operands: str = "", note: str = "") -> Primitive:
    """One row, as it is written in the table.

    `operands` is `x` or `x, y` unless it is given; there `slope=0.01` declares a default and `*xs` a list.
    """
    declared = [part.strip().partition("=") for part in (operands or "x, y"[: 3 * len(partials) - 2]).split(",")]
    names = tuple(operand.lstrip("*") for operand, _, _ in declared)
    lists = tuple(operand[1:] for operand, _, _ in declared if operand.startswith("*"))
    try:
        defaults = {operand: float(default) for operand, equals, default in declared if equals}
    except ValueError:
        raise ValueError(f"a default in {operands!r} is not a number") from None
    return Primitive(name, value, partials, names, lists, defaults, note)


PRIME = "ʹ"  # a letter, so that the name of a slope is an identifier; nobody types it by accident


class Table(dict[str, Primitive]):
    """The rows by name. A name with a prime, `powʹx`, is that of a slope, which `derive` makes when it is asked for."""

    derive: Callable[[str], Primitive]

    def __missing__(self, name: str) -> Primitive:
        if PRIME in name:
            return self.derive(name)
        raise KeyError(name)


PRIMITIVES = Table()


def row(name: str, value: str, *partials: str, operands: str = "", note: str = "") -> Primitive:
    """Add one row to the table and return it."""
    PRIMITIVES[name] = declaration(name, value, *partials, operands=operands, note=note)
    return PRIMITIVES[name]


# Arithmetic
row("add", "x + y", "1", "1")
row("sub", "x - y", "1", "-1")
row("mul", "x * y", "y", "x")
row("div", "x / y", "1 / y", "-out / y")
row("neg", "-x", "-1")
# x ** 0 is 1 with slope 0, written so that the slopes of that slope are right, too. In the exponent, 0 ** y has slope 0
# for y > 0, and a negative base has none.
row(
    "pow",
    "x ** y",
    "y * x ** (y - 1) if y != 0 else y * x ** y / x if x != 0 else 0",
    "out * log(x) if x > 0 else nan if x < 0 else 0 if y > 0 else nan",
)
row("abs", "abs(x)", "sign(x)", note="|x|' at 0 is 0")

# Exponentials and logarithms
row("exp", "exp(x)", "out")
row("expm1", "expm1(x)", "exp(x)", note="exp(x) - 1, exact near 0")
row("log", "log(x)", "1 / x", note="the natural logarithm")
row("log1p", "log1p(x)", "1 / (1 + x)", note="log(1 + x), exact near 0")
row("log2", "log2(x)", "1 / (x * log(2))")
row("log10", "log10(x)", "1 / (x * log(10))")
row("sqrt", "sqrt(x)", "0.5 / out", note="the slope at 0 is inf")

# Trigonometric and hyperbolic functions
row("sin", "sin(x)", "cos(x)")
row("cos", "cos(x)", "-sin(x)")
row("tan", "tan(x)", "1 + out * out")
row("asin", "asin(x)", "1 / sqrt((1 - x) * (1 + x))")
row("acos", "acos(x)", "-1 / sqrt((1 - x) * (1 + x))")
row("atan", "atan(x)", "1 / (1 + x * x)")
row("sinh", "sinh(x)", "cosh(x)")
row("cosh", "cosh(x)", "sinh(x)")
row("tanh", "tanh(x)", "1 - out * out")
row(
    "hypot", "hypot(x, y)", "x / out if out > 0 else 0", "y / out if out > 0 else 0", note="both slopes at (0, 0) are 0"
)
row(
    "atan2",
    "atan2(y, x)",
    "x / hypot(x, y) / hypot(x, y)",
    "-y / hypot(x, y) / hypot(x, y)",
    operands="y, x",
    note="the angle of the point (x, y); no slope at (0, 0)",
)

# Activations
row("erf", "erf(x)", "2 / sqrt(pi) * exp(-x * x)")
row("erfc", "erfc(x)", "-2 / sqrt(pi) * exp(-x * x)", note="1 - erf(x), exact for large x")
row("sigmoid", "(1 if x > 0 else exp(-abs(x))) / (1 + exp(-abs(x)))", "out * (1 - out)", note="1 / (1 + exp(-x))")
row("relu", "maximum(x, 0)", "step(x)", note="the slope at 0 is 0")
row(
    "leaky_relu",
    "x if x > 0 else slope * x",
    "1 if x > 0 else slope",
    "0 if x > 0 else x",
    operands="x, slope=0.01",
    note="the slope at 0 is that of the negative side",
)
row(
    "elu",
    "maximum(x, 0) + alpha * expm1(minimum(x, 0))",
    "1 if x > 0 else alpha * exp(minimum(x, 0))",
    "expm1(minimum(x, 0))",
    operands="x, alpha=1.0",
    note="the slope at 0 is alpha",
)
row(
    "gelu",
    "0.5 * x * erfc(-x / sqrt(2))",
    "0.5 * erfc(-x / sqrt(2)) + x * exp(-0.5 * x * x) / sqrt(2 * pi)",
    note="x times the normal distribution function, exact (by erf)",
)
row("silu", "x * sigmoid(x)", "sigmoid(x) * (1 + x * sigmoid(-x))", note="also called swish")
row("softplus", "maximum(x, 0) + log1p(exp(-abs(x)))", "sigmoid(x)", note="log(1 + exp(x))")
row("softsign", "x / (1 + abs(x))", "1 / ((1 + abs(x)) * (1 + abs(x)))")

# Steps: flat wherever they have a slope; at a jump the slope is taken as 0 too
row("sign", "sign(x)", "0", note="sign(0) is 0")
row("step", "step(x)", "0", note="1 for x > 0, else 0; step(0) is 0")
row("floor", "floor(x)", "0")
row("ceil", "ceil(x)", "0")

# Choices. A tie of maximum or minimum is split in halves; clip keeps slope 1 on both of its bounds.
row("maximum", "maximum(x, y)", "1 if x > y else 0.5 if x == y else 0", "1 if y > x else 0.5 if x == y else 0")
row("minimum", "minimum(x, y)", "1 if x < y else 0.5 if x == y else 0", "1 if y < x else 0.5 if x == y else 0")
row(
    "clip",
    "minimum(maximum(x, low), high)",
    "0 if x < low else 0 if x > high else 1",
    "0 if low > high else 1 if x < low else 0",
    "1 if x > high else 1 if low > high else 0",
    operands="x, low, high",
    note="the slope on the bounds is 1",
)
row(
    "where",
    "x if condition > 0 else y",
    "0",
    "1 if condition > 0 else 0",
    "0 if condition > 0 else 1",
    operands="condition, x, y",
    note="x where the condition is above 0, else y",
)

# Of many
row("sum", "sum(xs)", "1", operands="*xs")
row("mean", "sum(xs) / n", "1 / n", operands="*xs")
row("prod", "prod(xs)", "rest", operands="*xs")
row(
    "logsumexp",
    "logsumexp(xs)",
    "exp(x - out)",
    operands="*xs",
    note="log of the sum of exponentials, never overflowing",
)
row(
    "weighted_sum",
    "sumproduct(weights, inputs) + bias",
    "input",
    "weight",
    "1",
    operands="*weights, *inputs, bias=0.0",
    note="w1 x1 + ... + wn xn + b, what a neuron adds up",
)


# What the words of the table mean for floats. Python's `math` knows most of them.


def maximum(x: float, y: float) -> float:
    """The larger operand; nan when either is."""
    return x if x > y or x != x else y


def minimum(x: float, y: float) -> float:
    """The smaller operand; nan when either is."""
    return x if x < y or x != x else y


def sign(x: float) -> float:
    """-1, 0 or 1; nan for nan."""
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0 * x


def step(x: float) -> float:
    """1 above 0, else 0; nan for nan."""
    return 1.0 if x > 0 else 0.0 if x <= 0 else x


def floor(x: float) -> float:
    """The largest whole number that is not above x."""
    return float(math.floor(x)) if abs(x) < 2.0**52 else x


def ceil(x: float) -> float:
    """The smallest whole number that is not below x."""
    return float(math.ceil(x)) if abs(x) < 2.0**52 else x


def logsumexp(xs: list[float]) -> float:
    """log(sum(exp(x))), from the largest operand outwards."""
    top = max(xs)
    return top + math.log(math.fsum([math.exp(x - top) for x in xs])) if math.isfinite(top) else math.fsum(xs)


def sumproduct(ws: list[float], xs: list[float]) -> float:
    """The sum of w x over both lists."""
    return total(map(operator.mul, ws, xs))


def total(xs: Iterable[float]) -> float:
    """The exact sum, rounded once; nan for infinities of both signs."""
    try:
        return math.fsum(xs)
    except ValueError:
        return math.nan


def products_of_others(xs: list) -> list:
    """For each element the product of all the others, by running products from both ends: no division, so 0 is fine."""
    before, after = [1.0], [1.0]
    for x, y in zip(xs[:-1], xs[:0:-1]):
        before.append(x * before[-1])
        after.append(y * after[-1])
    return [left * right for left, right in zip(before, reversed(after))]


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


CONSTANTS = {"pi": math.pi, "nan": math.nan}
_MATH = "exp expm1 log log1p log2 log10 sqrt sin cos tan asin acos atan sinh cosh tanh hypot atan2 erf erfc prod"
FLOATS = {
    **{name: getattr(math, name) for name in _MATH.split()},
    **CONSTANTS,
    **{"abs": abs, "pow": checked_power, "sum": total, "products_of_others": products_of_others},
    **{f.__name__: f for f in (maximum, minimum, sign, step, floor, ceil, logsumexp, sumproduct)},
}
