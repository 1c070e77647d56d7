"""The table: one row per operation, its value and its partials, as text that reads like the back of a calculus book.

A row is a function of any kind of number. Which kind is said by the words it is evaluated with: floats, Values,
symbols, JavaScript. A word that no other words make up is an atom: what each reader calls it stands at the end.
"""

from __future__ import annotations

import operator

TYPE_CHECKING = False  # to import `typing` would take half of the time that `import autograd` may
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    Names = Mapping[str, Any]


class Row:
    """One operation. `value` and `partials` are expressions in the operands and the result, `out`.

    Operands are declared as `x`, as `slope=0.01`, with a default, or as `*xs`, a list of `n` numbers. The partial with
    respect to a list is that of one element, `x` of `xs`; there `rest` is the product of the other elements, and
    `total` the sum of all exp(x - out). A slope, the partial of another row, is infinite or nan in place of an error,
    but where that row, its `domain`, has no value.
    """

    def __init__(self, name: str, value: str, *partials: str, operands: str, note: str = "", domain: str = ""):
        self.name, self.value, self.partials, self.note = name, value, partials, note
        self.is_slope, self.domain = PRIME in name, domain
        declared = [x.strip().partition("=") for x in operands.split(",") if operands]
        self.operands = tuple([x.lstrip("*") for x, _, _ in declared])
        self.lists = tuple([x[1:] for x, _, _ in declared if x.startswith("*")])
        self.defaults = {x: float(default) for x, equals, default in declared if equals}

    @property
    def atom(self) -> bool:
        """Whether the value is a word of its own, which every reader must know, such as `tanh(x)`."""
        return self.value == f"{self.name}({', '.join(self.operands)})"

    def grouped(self, operands: Sequence[Any]) -> dict[str, Any]:
        """The operands of a node, one after the other, under the names that the row has for them."""
        n = (len(operands) - len(self.operands) + len(self.lists)) // len(self.lists) if self.lists else 0
        waiting = iter(operands)
        return {x: [next(waiting) for _ in range(n)] if x in self.lists else next(waiting) for x in self.operands}

    def occurrences(self, groups: Names, out: Any, words: Names) -> Iterator[tuple[int, dict[str, Any]]]:
        """For each operand, one after the other: which partial is its own, and what the names in that stand for."""
        names: dict[str, Any] = {**groups, "out": out}
        lists: dict[str, Sequence[Any]] = {xs: groups[xs] for xs in self.lists}
        if self.lists:
            xs = groups[self.lists[0]]
            names["n"] = float(len(xs))
            if "rest" in self.partials:
                lists["rests"] = others(xs)
            if any("total" in partial for partial in self.partials):
                names["total"] = words["sum"]([words["exp"](x - out) for x in xs])
        for position, operand in enumerate(self.operands):
            for i in range(len(lists[operand]) if operand in lists else 1):
                yield position, names | {many[:-1]: lists[many][i] for many in lists}


def others(xs: Sequence[Any]) -> list[Any]:
    """For each element the product of all the others, by running products from both ends: no division, so 0 is fine."""
    before: list[Any] = [1.0]
    after: list[Any] = [1.0]
    for x, y in zip(xs[:-1], xs[:0:-1]):
        before.append(x * before[-1])
        after.append(y * after[-1])
    return [left * right for left, right in zip(before, reversed(after))]


_SIGNS = {"Gt": ">", "GtE": ">=", "Lt": "<", "LtE": "<=", "Eq": "==", "NotEq": "!="}
_OPERATORS = {"Add": operator.add, "Sub": operator.sub, "Mult": operator.mul}
_meanings: dict[str, Callable[[Names, Names], Any]] = {}


def evaluate(text: str, words: Names, names: Names) -> Any:
    """An expression of the table on some kind of number: `names` are its variables, `words` what its functions mean.

    A kind of number has the operators `+ - *` and `-x`; the rest are words: `x / y` is `divide(x, y)`, `x ** y` is
    `power(x, y)`, and `a if x > y else b` is `choose(x, ">", y, lambda: a, lambda: b)`. Constants are floats.

    >>> evaluate("2 * x / y", {"divide": lambda x, y: f"{x} over {y}"}, {"x": 3.0, "y": "four"})
    '6.0 over four'
    """
    if text not in _meanings:
        import ast

        _meanings[text] = _meaning(ast.parse(text, mode="eval").body)
    return _meanings[text](words, names)


def _meaning(tree: ast.expr) -> Callable[[Names, Names], Any]:
    """A syntax tree as a function of words and names, made of the functions of its parts."""
    import ast

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
            sign = _SIGNS[type(comparison).__name__]
            return lambda words, names: words["choose"](
                x(words, names), sign, y(words, names), lambda: a(words, names), lambda: b(words, names)
            )
        case ast.Call(ast.Name(name), parts, []):
            arguments = [_meaning(part) for part in parts]
            return lambda words, names: words[name](*[x(words, names) for x in arguments])
        case _:
            raise ValueError(f"{ast.unparse(tree)!r} is not in the language of the table")


# The rows ----------------------------------------------------------------------------------------------------------


class OnDemand(dict[str, "Any"]):
    """A mapping whose entries are made when they are first asked for, by `make`."""

    def __init__(self, make: Callable[[str], Any], **entries: Any):
        super().__init__(entries)
        self.make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self.make(name)
        return self[name]


class Table(dict[str, Row]):
    """The rows by name. Those of slopes are not among them, but in `slopes`, which `calculus` makes on demand."""

    def __init__(self) -> None:
        self.slopes: dict[str, Row] = {}

    def __missing__(self, name: str) -> Row:
        return self.slopes[name]


PRIME = "ʹ"  # in the name of a slope, `powʹx`: a letter, so that it is an identifier; nobody types it by accident
TABLE = Table()
# name(operands) = value | partial of each operand  # note
ROWS = """
# Arithmetic
add(x, y) = x + y | 1 | 1
sub(x, y) = x - y | 1 | -1
mul(x, y) = x * y | y | x
div(x, y) = x / y | 1 / y | -out / y
neg(x) = -x | -1
# x ** 0 is 1 with slope 0, written so that the slopes of that slope are right, too. In the exponent, 0 ** y has slope 0
# for y > 0, and a negative base has none.
pow(x, y) = x ** y
    | y * x ** (y - 1) if y != 0 else y * x ** y / x if x != 0 else 0
    | out * log(x) if x > 0 else nan if x < 0 else 0 if y > 0 else nan
abs(x) = abs(x) | sign(x)  # |x|' at 0 is 0

# Exponentials and logarithms
exp(x) = exp(x) | out
expm1(x) = expm1(x) | exp(x)  # exp(x) - 1, exact near 0
log(x) = log(x) | 1 / x  # the natural logarithm
log1p(x) = log1p(x) | 1 / (1 + x)  # log(1 + x), exact near 0
log2(x) = log2(x) | 1 / (x * log(2))
log10(x) = log10(x) | 1 / (x * log(10))
exp2(x) = exp2(x) | out * log(2)  # 2 ** x
sqrt(x) = sqrt(x) | 0.5 / out  # the slope at 0 is inf
logaddexp(x, y) = maximum(x, y) + log1p(exp(-abs(x - y))) if x != y else x + log(2)
    | sigmoid(x - y) | sigmoid(y - x)  # log(exp(x) + exp(y)), never overflowing
cbrt(x) = cbrt(x) | 1 / (3 * out * out)  # the cube root, also of negative numbers; the slope at 0 is inf

# Trigonometric and hyperbolic functions
sin(x) = sin(x) | cos(x)
cos(x) = cos(x) | -sin(x)
tan(x) = tan(x) | 1 + out * out
asin(x) = asin(x) | 1 / sqrt((1 - x) * (1 + x))
acos(x) = acos(x) | -1 / sqrt((1 - x) * (1 + x))
atan(x) = atan(x) | 1 / (1 + x * x)
sinh(x) = sinh(x) | cosh(x)
cosh(x) = cosh(x) | sinh(x)
tanh(x) = tanh(x) | 1 - out * out
asinh(x) = asinh(x) | 1 / hypot(1, x)
acosh(x) = acosh(x) | 1 / (sqrt(x - 1) * sqrt(x + 1))
atanh(x) = atanh(x) | 1 / ((1 - x) * (1 + x))
hypot(x, y) = hypot(x, y) | x / out if out > 0 else 0 | y / out if out > 0 else 0  # both slopes at (0, 0) are 0
atan2(y, x) = atan2(y, x) | x / hypot(x, y) / hypot(x, y)
    | -y / hypot(x, y) / hypot(x, y)  # the angle of the point (x, y); no slope at (0, 0)

# Activations
erf(x) = erf(x) | 2 / sqrt(pi) * exp(-x * x)
erfc(x) = erfc(x) | -2 / sqrt(pi) * exp(-x * x)  # 1 - erf(x), exact for large x
sigmoid(x) = (1 if x > 0 else exp(-abs(x))) / (1 + exp(-abs(x))) | out * (1 - out)  # 1 / (1 + exp(-x))
relu(x) = maximum(x, 0) | step(x)  # the slope at 0 is 0
leaky_relu(x, slope=0.01) = x if x > 0 else slope * x
    | 1 if x > 0 else slope | 0 if x > 0 else x  # the slope at 0 is that of the negative side
elu(x, alpha=1.0) = maximum(x, 0) + alpha * expm1(minimum(x, 0))
    | 1 if x > 0 else alpha * exp(minimum(x, 0)) | expm1(minimum(x, 0))  # the slope at 0 is alpha
gelu(x) = 0.5 * x * erfc(-x / sqrt(2))
    | 0.5 * erfc(-x / sqrt(2)) + x * exp(-0.5 * x * x) / sqrt(2 * pi)  # x times the normal distribution, exact (by erf)
silu(x) = x * sigmoid(x) | sigmoid(x) * (1 + x * sigmoid(-x))  # also called swish
softplus(x) = maximum(x, 0) + log1p(exp(-abs(x))) | sigmoid(x)  # log(1 + exp(x))
log_sigmoid(x) = minimum(x, 0) - log1p(exp(-abs(x))) | sigmoid(-x)  # log(sigmoid(x)), never overflowing
softsign(x) = x / (1 + abs(x)) | 1 / ((1 + abs(x)) * (1 + abs(x)))

# Steps: flat wherever they have a slope; at a jump the slope is taken as 0 too
sign(x) = sign(x) | 0  # sign(0) is 0
step(x) = step(x) | 0  # 1 for x > 0, else 0; step(0) is 0
floor(x) = floor(x) | 0
ceil(x) = ceil(x) | 0
trunc(x) = trunc(x) | 0  # towards 0
# The remainder is exact, and x - out a multiple of y: rounded to the nearest, its number cannot be one off.
mod(x, y) = mod(x, y) | 1 | -floor((x - out) / y + 0.5)  # x % y, with the sign of y as in Python

# Choices. A tie of maximum or minimum is split in halves; clip keeps slope 1 on both of its bounds.
maximum(x, y) = maximum(x, y) | 1 if x > y else 0.5 if x == y else 0 | 1 if y > x else 0.5 if x == y else 0
minimum(x, y) = minimum(x, y) | 1 if x < y else 0.5 if x == y else 0 | 1 if y < x else 0.5 if x == y else 0
clip(x, low, high) = minimum(maximum(x, low), high) | 0 if x < low else 0 if x > high else 1
    | 0 if low > high else 1 if x < low else 0
    | 1 if x > high else 1 if low > high else 0  # the slope on the bounds is 1
where(condition, x, y) = x if condition > 0 else y
    | 0 | 1 if condition > 0 else 0 | 0 if condition > 0 else 1  # x where the condition is above 0, else y

# Of many. `out` of logsumexp is rounded, to sixteen digits of numbers that may be large; `total`, 1 but for that
# rounding, takes it out of the slopes.
sum(*xs) = sum(xs) | 1
mean(*xs) = sum(xs) / n | 1 / n
prod(*xs) = prod(xs) | rest
logsumexp(*xs) = logsumexp(xs) | exp(x - out) / total  # log of the sum of exponentials, never overflowing
weighted_sum(*weights, *inputs, bias=0.0) = sumproduct(weights, inputs) + bias
    | input | weight | 1  # w1 x1 + ... + wn xn + b, what a neuron adds up
"""
for _line in ROWS.replace("\n    |", " |").splitlines():
    if _line and not _line.startswith("#"):
        _declared, _, _note = _line.partition("  # ")
        _called, _, _expressions = _declared.partition(" = ")
        _name, _, _operands = _called.rstrip(")").partition("(")
        TABLE[_name] = Row(_name, *_expressions.split(" | "), operands=_operands, note=_note)


# The atoms ---------------------------------------------------------------------------------------------------------


class Atom:
    """What readers of the table call a word that no other words make up.

    For `floats` it is a function: its name in `math`, `operator` or `floats.py`, an expression in x and y, or itself.
    For the others it is the name of a function, or a text in which `%s` is its operand; the functions of JavaScript's
    `words` are in `drawing/words.js`. `method` is NumPy's name, under which it is a method of Value as well.
    """

    def __init__(self, floats: Any, numpy: str = "", javascript: str = "", latex: str = "", method: str = ""):
        self.floats, self.numpy, self.javascript, self.latex, self.method = floats, numpy, javascript, latex, method


def called(word: str, reader: str) -> Any:
    """What one of the READERS calls an atom; a ValueError that says what is missing, and where, if nobody said so."""
    if name := getattr(ATOMS.get(word), reader, ""):
        return name
    raise ValueError(
        f"{word} is a word that no other words of the table make up, and what {reader} call it is missing: a line "
        f"of ATOMS in autograd/core/table.py says it, {word}  {'  '.join(READERS)}, two spaces apart"
    )


READERS = ("floats", "numpy", "javascript", "latex")
ATOMS: dict[str, Atom] = {}
# word, floats, NumPy, JavaScript, LaTeX, and NumPy's name for the method where it has another one; what follows a colon
# is put in the place of the star, one after the other
for _line in r"""
*: log sin cos tan sinh cosh tanh    math.*   np.*     Math.*   \*
*: expm1 log1p hypot                 math.*   np.*     Math.*   \operatorname{*}
a*: sin cos tan                      math.a*  np.arc*  Math.a*  \arc*  arc*
a*: sinh cosh tanh                   math.a*  np.arc*  Math.a*  \operatorname{ar*}  arc*
*: erf erfc                          math.*   np.vectorize(math.*, otypes=[float])  words.*  \operatorname{*}
atan2       math.atan2    np.arctan2   Math.atan2   \operatorname{atan2}  arctan2
exp         math.exp      np.exp       Math.exp     e^{%s}
exp2        math.exp2     np.exp2      words.exp2   2^{%s}
log2        math.log2     np.log2      Math.log2    \log_2
log10       math.log10    np.log10     Math.log10   \log_{10}
sqrt        math.sqrt     np.sqrt      Math.sqrt    \sqrt{%s}
cbrt        math.cbrt     np.cbrt      Math.cbrt    \sqrt[3]{%s}
abs         math.fabs     np.absolute  Math.abs     \left|%s\right|
mod         operator.mod  np.mod       words.mod    \operatorname{mod}
floor       floor         np.floor     Math.floor   \lfloor %s \rfloor
ceil        -floor(-x)    np.ceil      Math.ceil    \lceil %s \rceil
trunc       floor(x) if x > 0 else -floor(-x)       np.trunc               Math.trunc     \operatorname{trunc}
sign        1 if x > 0 else -1 if x < 0 else x      np.sign                Math.sign      \operatorname{sign}
step        1 if x > 0 else 0 if x <= 0 else x      np.heaviside(%s, 0.0)  words.step     \operatorname{step}
maximum     x if x > y else y if y >= x else x + y  np.maximum             words.maximum  \max
minimum     x if x < y else y if y <= x else x + y  np.minimum             words.minimum  \min
sum         exact_sum     np.sum               words.sum         \sum
prod        math.prod     np.prod              words.prod        \prod
logsumexp   logsumexp     np.logaddexp.reduce  words.logsumexp   \operatorname{logsumexp}
sumproduct  sumproduct    np.vdot              words.sumproduct  \operatorname{sumproduct}
""".strip().splitlines():
    _word, *_names = [name.strip() for name in _line.split("  ") if name.strip()]
    _pattern, _, _parts = _word.partition(": ")
    for _part in _parts.split() or [""]:
        ATOMS[_pattern.replace("*", _part)] = Atom(*[name.replace("*", _part) for name in _names])
