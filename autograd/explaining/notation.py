"""Notation: numbers, labels and syntax trees as text and as LaTeX.

Both write the same tree the way a textbook sets it: `2 (a - y)`, `1 - tanh(z)^2`; LaTeX adds fractions, roots and the
indices that a label such as `w_jk^(L)` carries.
"""

import ast
import html
import math
import re

from autograd.core.table import PRIMITIVES

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4  # how strongly a piece of a formula holds together
_SIGNS = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "=", ast.NotEq: "!="}


# Numbers and labels ------------------------------------------------------------------------------------------------


def digits(x: float, significant: int = 5) -> str:
    """A number in significant digits: 0.30000000000000004 is `0.3`, 1e-9 is `1e-09`, never `0.0000`."""
    return f"{x + 0.0:.{significant}g}"


def latex_number(x: float) -> str:
    """A number for LaTeX, with a power of ten where `digits` has an e."""
    if not math.isfinite(x):
        return r"\mathrm{nan}" if math.isnan(x) else r"\infty" if x > 0 else r"-\infty"
    mantissa, _, exponent = digits(x).partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


_PIECE = r"\{[^{}]*\}|\([^()]*\)|[\w,]+"
_LABEL = re.compile(
    rf"(?P<base>[^\W\d_]+'*)(?P<digits>\d*)(?:\((?P<bare>[^()]*)\))?"
    rf"(?:_(?P<sub>{_PIECE}))?(?:\^(?P<sup>{_PIECE}))?(?:_(?P<late>{_PIECE}))?"
)
GREEK = set(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)


def label_parts(label: str) -> tuple[str, str, str] | None:
    """(name, subscript, superscript) of a label such as `w_jk^(L)`, `w(L)_jk`, `a1` or `b`; None for any other text."""
    match = _LABEL.fullmatch(label)
    if not match or (match["bare"] and match["base"] in PRIMITIVES):  # tanh(z) is no z-th tanh
        return None
    subscripts = [part for part in (match["digits"], match["sub"], match["late"]) if part]
    superscripts = [part for part in (match["bare"] and f"({match['bare']})", match["sup"]) if part]
    if len(subscripts) > 1 or len(superscripts) > 1:
        return None
    bare = lambda parts: parts[0].strip("{}") if parts else ""  # noqa: E731
    return match["base"], bare(subscripts), bare(superscripts)


_ESCAPES = {"\\": "/", "~": "-", "^": "'"} | {c: "\\" + c for c in "#$%&_{}"}


def latex_label(label: str) -> str:
    """A label for LaTeX: indices set as indices, Greek letters by name, anything else as text."""
    name, _, place = label.partition("#")
    if name and place.isdigit():  # the second of several `z` is called z#2
        return rf"{{{latex_label(name)}}}_{{\#{place}}}"
    parts = label_parts(label)
    if parts is None:
        return r"\text{" + re.sub(r"[\\^~#$%&_{}]", lambda match: _ESCAPES[match[0]], label) + "}"
    base, sub, sup = parts
    word = base.rstrip("'")
    face = r"\mathrm" if word.isascii() else r"\text"
    name = f"\\{word}" if word in GREEK else word if len(word) == 1 else f"{face}{{{word}}}"
    return name + base[len(word) :] + f"_{{{sub}}}" * bool(sub) + f"^{{{sup}}}" * bool(sup)


# Trees -------------------------------------------------------------------------------------------------------------


class Text:
    """Writes a syntax tree as plain text."""

    times = " * "

    def __call__(self, tree: ast.expr) -> str:
        """The whole formula."""
        return self.write(tree)[0]

    def bracketed(self, text: str) -> str:
        """In parentheses."""
        return f"({text})"

    def at_least(self, tree: ast.expr, strength: int) -> str:
        """The formula, in parentheses when it holds together less strongly than that."""
        text, own = self.write(tree)
        return text if own >= strength else self.bracketed(text)

    def number(self, x: float) -> str:
        """A number."""
        return digits(x)

    def signed(self, x: float) -> str:
        """A number as a factor: negative ones in parentheses."""
        return self.bracketed(self.number(x)) if x < 0 or "e" in digits(x) else self.number(x)

    def name(self, label: str) -> tuple[str, int]:
        """A label, and how strongly it holds together."""
        parts = label_parts(label.partition("#")[0])
        return label, SUM if parts is None and label != "..." else POWER if parts and parts[2] else ATOM

    def call(self, function: str, arguments: list[ast.expr]) -> tuple[str, int]:
        """A function of its arguments."""
        return f"{function}({', '.join(map(self, arguments))})", ATOM

    def quotient(self, x: ast.expr, y: ast.expr) -> tuple[str, int]:
        """x divided by y."""
        return f"{self.at_least(x, PRODUCT)} / {self.at_least(y, POWER)}", PRODUCT

    def power(self, x: ast.expr, y: ast.expr) -> tuple[str, int]:
        """x to the power y."""
        return f"{self.at_least(x, ATOM)}^{self.at_least(y, ATOM)}", POWER

    def product(self, x: ast.expr, y: ast.expr) -> tuple[str, int]:
        """x times y: side by side, with a sign where that could be misread."""
        left, right = self.at_least(x, PRODUCT), self.at_least(y, PRODUCT)
        plain = right[0].isdigit() or (isinstance(x, ast.BinOp) and isinstance(x.op, ast.Div)) or is_quotient(y)
        return left + (self.times if plain else " ") + right, PRODUCT

    def comparison(self, x: ast.expr, sign: str, y: ast.expr) -> str:
        """x compared with y."""
        return f"{self(x)} {sign} {self(y)}"

    def derivative(self, y: ast.expr, x: ast.expr) -> str:
        """dy/dx"""
        above, below = (self(z) if isinstance(z, ast.Name) else f"({self(z)})" for z in (y, x))
        return f"d{above}/d{below}"

    def write(self, tree: ast.expr) -> tuple[str, int]:
        """A formula, and how strongly it holds together."""
        match tree:
            case ast.Constant(int() | float() as x):
                return self.number(x), PRODUCT if x < 0 or "e" in digits(x) else ATOM
            case ast.Name(label):
                return self.name(label)
            case ast.BinOp(x, ast.Add() | ast.Sub() as op, y):
                sign = "+" if isinstance(op, ast.Add) else "-"
                right = self.at_least(y, SUM if sign == "+" else PRODUCT)
                return f"{self.write(x)[0]} {sign} {self.bracketed(right) if right[0] == '-' else right}", SUM
            case ast.BinOp(x, ast.Mult(), y):
                return self.product(x, y)
            case ast.BinOp(x, ast.Div(), y):
                return self.quotient(x, y)
            case ast.BinOp(x, ast.Pow(), y):
                return self.power(x, y)
            case ast.UnaryOp(ast.USub(), x):
                return f"-{self.at_least(x, PRODUCT)}", PRODUCT
            case ast.Call(ast.Name(function), arguments):
                return self.call(function, arguments)
            case ast.Compare(x, [op], [y]):
                return self.comparison(x, _SIGNS[type(op)], y), SUM
        return ast.unparse(tree), SUM


def is_quotient(tree: ast.expr) -> bool:
    """Whether a tree is a quotient."""
    return isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div)


class Latex(Text):
    """Writes a syntax tree as LaTeX, in the part of it that MathJax and KaTeX know."""

    times = r" \cdot "
    operators = frozenset("exp log sin cos tan sinh cosh tanh arcsin arccos arctan".split())
    names = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "sigmoid": r"\sigma"}  # noqa: RUF012
    signs = {">=": r"\ge", "<=": r"\le", "!=": r"\ne"}  # noqa: RUF012

    def bracketed(self, text: str) -> str:
        """In parentheses, which grow with a content that is high."""
        return rf"\left({text}\right)" if re.search(r"\\frac|\\sqrt|\^\{.*\^", text) else f"({text})"

    def number(self, x: float) -> str:
        """A number."""
        return latex_number(x)

    def name(self, label: str) -> tuple[str, int]:
        """A label with its indices."""
        return (r"\dots", ATOM) if label == "..." else (latex_label(label), super().name(label)[1])

    def call(self, function: str, arguments: list[ast.expr]) -> tuple[str, int]:
        """A function of its arguments, by the sign that the textbook has for it."""
        match function, arguments:
            case "abs", [x]:
                return rf"\left|{self(x)}\right|", ATOM
            case "sqrt", [x]:
                return rf"\sqrt{{{self(x)}}}", ATOM
            case "exp", [x]:
                return f"e^{{{self(x)}}}", POWER
        return self.function(function) + self.bracketed(", ".join(map(self, arguments))), ATOM

    def function(self, name: str) -> str:
        """The name of a function."""
        name = self.names.get(name, name)
        if name in self.operators:
            return f"\\{name}"
        return name if name[0] == "\\" else r"\operatorname{" + name.replace("_", r"\_") + "}"

    def quotient(self, x: ast.expr, y: ast.expr) -> tuple[str, int]:
        """x divided by y, as a fraction."""
        return rf"\frac{{{self(x)}}}{{{self(y)}}}", PRODUCT

    def power(self, x: ast.expr, y: ast.expr) -> tuple[str, int]:
        """x to the power y, written high; that of tanh(z) as textbooks have it, between the name and the operand."""
        match x:
            case ast.Call(ast.Name(function), [z]) if self.names.get(function, function) in self.operators - {"exp"}:
                return f"{self.function(function)}^{{{self(y)}}}{self.bracketed(self(z))}", POWER
        return f"{self.at_least(x, ATOM)}^{{{self(y)}}}", POWER

    def comparison(self, x: ast.expr, sign: str, y: ast.expr) -> str:
        """x compared with y."""
        return f"{self(x)} {self.signs.get(sign, sign)} {self(y)}"

    def derivative(self, y: ast.expr, x: ast.expr) -> str:
        """dy/dx, as a partial derivative."""
        return rf"\frac{{\partial {self.at_least(y, POWER)}}}{{\partial {self.at_least(x, POWER)}}}"


text, latex = Text(), Latex()


def table(heads: list[str], rows: list[list[str]], left: int = 2) -> str:
    """A table in plain text: columns two spaces apart, the first `left` of them ranged left, the others right."""
    lines = [heads, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    cell = lambda i, x: x.ljust(widths[i]) if i < left else x.rjust(widths[i])  # noqa: E731
    return "\n".join("  ".join(cell(i, x) for i, x in enumerate(line)).rstrip() for line in lines)


def html_table(caption: str, heads: list[str], rows: list[list[str]], left: int = 2) -> str:
    """A table in HTML, with a caption and headed columns for those who hear it read."""
    side = lambda i: f'style="text-align:{"left" if i < left else "right"}"'  # noqa: E731
    cell = lambda i, x: f"<td {side(i)}>{html.escape(x)}</td>"  # noqa: E731
    head = "".join(f'<th scope="col" {side(i)}>{html.escape(head)}</th>' for i, head in enumerate(heads))
    body = "".join(f"<tr>{''.join(cell(i, x) for i, x in enumerate(row))}</tr>" for row in rows)
    title = html.escape(caption).replace("\n", "<br>")
    return f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
