"""Notation: the one writer of formulas. A symbol as plain text, as LaTeX, and as runs for drawings and HTML.

All three write the same formula the way a textbook sets it: `2 (a - y)`, `1 - tanh(z)^2`; LaTeX adds fractions and
roots. What a piece of a formula holds together by decides about its parentheses.
"""

import html
import re
from collections.abc import Sequence
from typing import Any

from autograd.core.table import ATOMS, TABLE
from autograd.explaining.symbols import (
    BareOperation,
    Blank,
    Call,
    Choice,
    Dots,
    Name,
    Number,
    Power,
    Product,
    Relation,
    Several,
    Sum,
    Symbol,
    product,
    sign_of,
)
from autograd.explaining.typography import (
    GREEK,
    Run,
    in_digits,
    label_parts,
    latex_label,
    latex_number,
    markup,
    name,
    numbered_label,
    one_line,
    quantity,
)

CHOICE, SUM, PRODUCT, POWER, ATOM = range(5)  # how strongly a piece of a formula holds together


class Notation:
    """Writes symbols as plain text; subclasses say what is written differently."""

    times, dots = " * ", "..."
    scientific = POWER  # how strongly 1.5e-9 holds together; written as 1.5 x 10^-9 it is a product
    signs: dict[str, str] = {"==": "="}  # noqa: RUF012

    def __call__(self, formula: Symbol) -> Any:
        """The whole formula."""
        return self.write(formula)[0]

    def row(self, *pieces: Any) -> Any:
        """Pieces and plain words, one after the other."""
        return "".join(pieces)

    def bracketed(self, piece: Any) -> Any:
        """A piece in parentheses, as a factor or an operand has to be."""
        return self.row("(", piece, ")")

    def at_least(self, formula: Symbol, strength: int) -> Any:
        """The formula, in parentheses when it holds together less strongly than that."""
        piece, own = self.write(formula)
        return piece if own >= strength else self.bracketed(piece)

    def number(self, x: float) -> Any:
        """A number in five significant digits."""
        return in_digits(x)

    def name(self, label: str) -> Any:
        """A label as it was given, on one line."""
        return one_line(label)

    def function(self, name: str) -> Any:
        """What stands before the parentheses: `tanh`, and `lgamma'` for a slope that is a function of floats."""
        return slope_name(name) or name

    def call(self, function: str, operands: Sequence[Symbol]) -> tuple[Any, int]:
        """A function of its operands."""
        inside = [piece for x in operands for piece in (", ", self(x))][1:]
        return self.row(self.function(function), self.bracketed(self.row(*inside))), ATOM

    def quotient(self, above: Sequence[Symbol], below: Sequence[Symbol]) -> Any:
        """A product divided by a product."""
        single = len(below) == 1
        return self.row(
            self.side_by_side(above),
            " / ",
            self.at_least(below[0], POWER) if single else self.bracketed(self.side_by_side(below)),
        )

    def power(self, base: Symbol, exponent: Symbol) -> tuple[Any, int]:
        """A base to an exponent."""
        return self.row(self.at_least(base, ATOM), "^", self.at_least(exponent, ATOM)), POWER

    def side_by_side(self, factors: Sequence[Symbol]) -> Any:
        """Factors beside each other, with a sign between them where that could be misread."""
        if len(factors) == 1:
            return self.at_least(factors[0], PRODUCT)
        pieces: list[Any] = []
        for before, factor in zip([None, *factors], factors):
            if before is not None:
                plain = begins_with_a_digit(factor) or (isinstance(before, Number) and before.value == 1)  # 1 · z
                pieces.append(self.times if plain else self.gap(before, factor))
            pieces.append(self.at_least(factor, POWER if before is not None else PRODUCT))
        return self.row(*pieces)

    def gap(self, before: Symbol, after: Symbol) -> str:
        """What stands between two factors."""
        return " "

    def sign(self, term: Symbol) -> str:
        """The sign that a term is written with, if any."""
        return self.signs.get(sign_of(term), sign_of(term))

    def relation(self, x: Symbol, sign: str, y: Symbol) -> Any:
        """Two formulas with the sign of a comparison between them."""
        return self.row(self(x), f" {self.signs.get(sign, sign)} ", self(y))

    def derivative(self, y: Symbol, x: Symbol) -> Any:
        """dy/dx"""
        above, below = (self(z) if isinstance(z, Name) else self.bracketed(self(z)) for z in (y, x))
        return self.row("d", above, "/d", below)

    def direct(self, derivative: Any) -> Any:
        """A derivative that counts only what does not pass through other quantities: (dC/dx)_direct."""
        return self.row("(", derivative, ")_direct")

    def write(self, formula: Symbol) -> tuple[Any, int]:
        """A formula, and how strongly it holds together."""
        match formula:
            case Number(x):
                return self.number(x), PRODUCT if x < 0 else self.scientific if "e" in in_digits(x) else ATOM
            case Several(values):
                return self.row(self.number(values[0]), f" {self.dots} ", self.number(values[-1])), SUM
            case Name(label):
                parts = label_parts(numbered_label(label)[0])
                return self.name(label), SUM if parts is None else POWER if parts[2] else ATOM
            case BareOperation(label):
                return self.row(label), SUM
            case Blank() | Dots():
                return self.row(self.dots), ATOM
            case Sum(terms):
                pieces = []
                for i, term in enumerate(terms):
                    sign = self.sign(term)
                    pieces.append(f" {sign or '+'} " if i else sign)
                    pieces.append(self.at_least(without_sign(term), PRODUCT))
                return self.row(*pieces), SUM
            case Product() | Several() if sign := self.sign(formula):
                return self.row(sign, self.at_least(without_sign(formula), PRODUCT)), PRODUCT
            case Product(1.0, 1.0, ((base, n),)) if n > 0:
                return self.power(base, Number(n))
            case Product(numerator, denominator, powers):
                above = [powered(base, n) for base, n in powers if n > 0]
                below = [powered(base, -n) for base, n in powers if n < 0]
                above = [Number(numerator), *above] if numerator != 1 or not above else above
                below = [Number(denominator), *below] if denominator != 1 else below
                return (self.quotient(above, below) if below else self.side_by_side(above)), PRODUCT
            case Power(base, exponent):
                return self.power(base, exponent)
            case Call(function, operands):
                return self.call(function, operands)
            case Relation(x, sign, y):
                return self.relation(x, sign, y), SUM
            case Choice(test, yes, no):
                return self.row(self.at_least(yes, SUM), " if ", self(test), " else ", self(no)), CHOICE
        raise TypeError(f"not a formula: {formula!r}")


def powered(base: Symbol, n: float) -> Symbol:
    """A power as a symbol of its own."""
    return base if n == 1 else Product(1.0, 1.0, ((base, n),))


def without_sign(term: Symbol) -> Symbol:
    """A term without the minus it is written with."""
    match term:
        case Number(x):
            return Number(abs(x))
        case Several(values):
            return Number(values[-1])
        case Product(numerator, denominator, ((Several(values), 1.0), *_)) if sign_of(term) == "±":
            return product([Number(abs(numerator) * values[-1]), Product(1.0, denominator, term.powers[1:])])
        case Product(numerator, denominator, ((base, 1.0),)) if abs(numerator) == denominator == 1:
            return base
        case Product(numerator, denominator, powers):
            return Product(abs(numerator), denominator, powers)
    return term


def begins_with_a_digit(factor: Symbol) -> bool:
    """Whether a factor would run into a number before it."""
    match factor:
        case Number(x):
            return x >= 0
        case Power(base, _) | Product(1.0, 1.0, ((base, _),)):
            return begins_with_a_digit(base)
    return False


class Latex(Notation):
    """Writes LaTeX, in the part of it that MathJax and KaTeX know."""

    times, dots = r" \cdot ", r"\dots"
    scientific = PRODUCT
    signs = {">": r"\gt", "<": r"\lt", ">=": r"\ge", "<=": r"\le", "!=": r"\ne", "==": "=", "±": r"\pm"}  # noqa: RUF012

    def bracketed(self, piece: str) -> str:
        """In parentheses, which grow with a content that is high."""
        return rf"\left({piece}\right)" if re.search(r"\\frac|\\sqrt|\^\{.*\^", piece) else f"({piece})"

    def number(self, x: float) -> str:
        """A number in five significant digits; very large and small ones as a power of ten."""
        return latex_number(x)

    def name(self, label: str) -> str:
        """A label with its indices."""
        return latex_label(label)

    def call(self, function: str, operands: Sequence[Symbol]) -> tuple[str, int]:
        """A function of its operands, by the sign that the textbook has for it."""
        sign = latex_of(function)
        if "%s" not in sign or len(operands) != 1:
            return super().call(function, operands)
        return sign.replace("%s", self(operands[0])), POWER if "^" in sign else ATOM

    def function(self, name: str) -> str:
        r"""LaTeX's command for a function, `\tanh`."""
        return latex_of(name)

    def quotient(self, above: Sequence[Symbol], below: Sequence[Symbol]) -> str:
        """A product above another one, without the parentheses that a line of text needs."""
        whole = lambda factors: self(factors[0]) if len(factors) == 1 else self.side_by_side(factors)  # noqa: E731
        return rf"\frac{{{whole(above)}}}{{{whole(below)}}}"

    def power(self, base: Symbol, exponent: Symbol) -> tuple[str, int]:
        """The exponent high; that of tanh(z) as textbooks have it, between the name and the operand."""
        match base:
            case Call(function, [z]) if re.fullmatch(r"\\[a-z]+", latex_of(function)) and function in ATOMS:
                return f"{self.function(function)}^{{{self(exponent)}}}{self.bracketed(self(z))}", POWER
        return f"{self.at_least(base, ATOM)}^{{{self(exponent)}}}", POWER

    def gap(self, before: Symbol, after: Symbol) -> str:
        """Words, and what could be taken for a function of what follows, stand apart: spaces alone are not printed."""
        close = isinstance(before, Number) and not is_word(after)
        return " " if close or (is_letter(before) and is_letter(after)) else r" \, "

    def derivative(self, y: Symbol, x: Symbol) -> str:
        """dy/dx, as a partial derivative."""
        return rf"\frac{{\partial {self.at_least(y, POWER)}}}{{\partial {self.at_least(x, POWER)}}}"

    def direct(self, derivative: str) -> str:
        """The same with a bar; not as the letter |, which would end a table's cell."""
        return rf"\left.{derivative}\right\vert_{{\text{{direct}}}}"


def slope_name(function: str) -> str:
    """What the slope of an operation is called that the user gave as a function of floats: `lgamma'`; else nothing."""
    of, _, operand = function.rpartition("_slope_")
    if function in ATOMS and of in TABLE:
        return f"{of}'" if len(TABLE[of].operands) == 1 else f"d{of}/d{operand}"
    return ""


def latex_of(function: str) -> str:
    """What a function is called in LaTeX, or a text in which `%s` is its operand; a bar would end a table's cell."""
    if function == "sigmoid":
        return r"\sigma"
    function = slope_name(function) or function
    own = r"\operatorname{" + function.replace("_", r"\_") + "}"
    return ((ATOMS[function].latex if function in ATOMS else "") or own).replace("|", r"\vert ")


def is_letter(factor: Symbol) -> bool:
    """Whether a factor is a single letter, with indices or an exponent."""
    match factor:
        case Name(label):
            parts = label_parts(numbered_label(label)[0])
            return parts is not None and (len(parts[0].rstrip("'")) == 1 or parts[0] in GREEK)
        case Product(1.0, 1.0, ((base, _),)):
            return is_letter(base)
    return False


def is_word(factor: Symbol) -> bool:
    """Whether a factor begins with a word."""
    match factor:
        case Product(_, _, ((base, _), *_)) | Power(base, _):
            return is_word(base)
    return isinstance(factor, (Name, Call)) and not is_letter(factor)


class Runs(Notation):
    """Writes runs, for drawings and HTML."""

    times, dots = " · ", "…"
    scientific = PRODUCT
    signs = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}  # noqa: RUF012

    def __init__(self, figures: int = 4):
        self.figures = figures

    def row(self, *pieces: Any) -> tuple[Run, ...]:
        """Pieces and plain words, one after the other."""
        runs = []
        for piece in pieces:
            runs += [Run(piece.replace("-", "−"))] if isinstance(piece, str) and piece else piece
        return tuple(runs)

    def number(self, x: float) -> tuple[Run, ...]:
        """A number in `figures` significant digits."""
        return quantity(x, self.figures)

    def name(self, label: str) -> tuple[Run, ...]:
        """A label with its indices."""
        return name(label)

    def function(self, name: str) -> tuple[Run, ...]:
        """A function's name in upright letters."""
        return (Run(slope_name(name) or name),)

    def power(self, base: Symbol, exponent: Symbol) -> tuple[tuple[Run, ...], int]:
        """The exponent high."""
        above = self(exponent)
        high = all(run.level == 0 for run in above)
        raised = [Run(run.text, run.style, 1) for run in above] if high else [Run("^"), *self.bracketed(above)]
        return (*self.at_least(base, ATOM), *raised), POWER

    def derivative(self, y: Symbol, x: Symbol) -> tuple[Run, ...]:
        """dy/dx, as a partial derivative."""
        return self.row("∂", self.at_least(y, POWER), " / ∂", self.at_least(x, POWER))


text, latex, runs = Notation(), Latex(), Runs(figures=5)


# Tables ------------------------------------------------------------------------------------------------------------


def text_table(heads: list[str], rows: list[list[str]], left: int = 2) -> str:
    """A table in plain text: columns two spaces apart, the first `left` of them ranged left, the others right."""
    lines = [heads, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    cell = lambda i, x: x.ljust(widths[i]) if i < left else x.rjust(widths[i])  # noqa: E731
    return "\n".join("  ".join(cell(i, x) for i, x in enumerate(line)).rstrip() for line in lines)


def indices_in_place(page: str) -> str:
    """HTML whose superscripts stand above subscripts without a stylesheet of ours, in spite of a notebook's own."""
    column = "display:inline-grid;vertical-align:middle;text-align:left;line-height:1"
    own = 'style="position:static;line-height:1.1"'
    both = r'<span class="both"><sup>(.*?)</sup><sub>(.*?)</sub></span>'
    return re.sub(both, rf'<span style="{column}"><sup {own}>\1</sup><sub {own}>\2</sub></span>', page)


def html_table(caption: str, heads: list[str], rows: Sequence[Sequence[Any]], left: int = 2) -> str:
    """A table in HTML, with a caption and headed columns for those who hear it read; cells are words or runs."""
    side = lambda i: f'style="text-align:{"left" if i < left else "right"}"'  # noqa: E731
    inside = lambda x: html.escape(x) if isinstance(x, str) else indices_in_place(markup(x))  # noqa: E731
    cell = lambda i, x: f"<td {side(i)}>{inside(x)}</td>"  # noqa: E731
    head = "".join(f'<th scope="col" {side(i)}>{html.escape(head)}</th>' for i, head in enumerate(heads))
    body = "".join(f"<tr>{''.join(cell(i, x) for i, x in enumerate(row))}</tr>" for row in rows)
    title = html.escape(caption).replace("\n", "<br>")
    return f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
