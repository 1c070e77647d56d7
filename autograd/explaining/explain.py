"""explain: one derivative worked as a textbook works it, first in symbols, then in formulas, then in numbers.

The route from the value to the cost is taken from one quantity to the next (`stops`), each step is one factor; the
formulas are the table's (`formulas`), written as text or as LaTeX (`notation`). Here they become a derivation.
"""

import ast
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd.core.value import Value
from autograd.explaining.formulas import Formula, Formulas, is_arithmetic
from autograd.explaining.notation import PRODUCT, Text, digits, latex, text
from autograd.explaining.paths import exact_sum, largest_paths, reached, require_values, shortened, whole
from autograd.explaining.stops import Stop, stops

LONGEST = 9  # factors of one path, and
MOST = 6  # paths, that are written out
IF = r" \text{ if } ", r" \text{ and } "


class Factor(NamedTuple):
    """One factor of the chain rule: its name (`da/dz`), its formula (`1 - tanh(z)^2`) and what it is worth."""

    name: str
    formula: str
    value: float


class Explanation:
    """The chain rule for one derivative, worked out; prints as text and renders as mathematics in a notebook.

    Attributes:
        gradient: d cost / d value.
        factors: the factors that occur, each a `Factor`: name, formula, value.
        text, markdown, latex: the derivation in each of the three.
    """

    def __init__(self, cost: Value, value: Value):
        self._formulas = Formulas(cost, value)
        self._stops = stops(cost, value, self._formulas)
        self.cost, self.value = cost, value
        self._paths: list[tuple[float, tuple[tuple[Stop, int], ...]]] = []
        self._rest: float = 0.0
        self._count = 0
        if self._stops:
            ends = self._stops[cost], self._stops[value]
            reach = reached(*ends)
            self._count = reach[ends[0]].paths
            self._paths, rest = largest_paths(*ends, reach, MOST)
            self._rest = exact_sum(rest)
        self.gradient = exact_sum([*(worth for worth, _ in self._paths), self._rest])
        self._largest = self._paths[0][1] if self._paths else ()
        if self._count <= len(self._paths):  # all are shown: in the order of the graph, as a textbook lists them
            place = {id(stop): i for i, stop in enumerate(self._stops.values())}
            self._paths.sort(key=lambda path: [place[id(stop)] for stop, _ in path[1]])
        shown = {edge for _, edges in self._paths for edge in shortened(edges, LONGEST // 2) if edge}
        self._edges = [
            (stop, i) for stop in self._stops.values() for i in range(len(stop.parents)) if (stop, i) in shown
        ]
        self._formula = {(stop, i): stop.formula(i, self._formulas) for stop, i in self._edges}

    @property
    def factors(self) -> list[Factor]:
        """The factors that occur, in the order of the graph: name, formula, value."""
        return [
            Factor(self._symbol(text, edge), self._formula[edge].written(text), edge[0].partials[edge[1]])
            for edge in self._edges
        ]

    @property
    def _several(self) -> bool:
        return self._count > 1

    # Pieces, in either notation

    def _name(self, node: Value) -> ast.expr:
        return self._formulas.name(node)

    def _derivative(self, notation: Text) -> str:
        return notation.derivative(self._name(self.cost), self._name(self.value))

    def _symbol(self, notation: Text, edge: tuple[Stop, int]) -> str:
        stop, i = edge
        return notation.derivative(self._name(stop.node), self._name(stop.parents[i].node))

    def _product(self, edges: tuple, write: Callable[[Any], str], times: str, dots: str) -> str:
        shown = shortened(edges, LONGEST // 2)
        factors = [dots if edge is None else write(edge) for edge in shown]
        return times.join(f"({x})" if x.startswith("-") else x for x in factors) if factors else "1"

    def _sum(self, write: Callable[[Any], str], notation: Text, times: str, plus: str) -> str:
        """The sum over paths, with each factor written by `write`."""
        if len(self._edges) == 1:
            return write(self._edges[0])
        dots = r"\cdots" if notation is latex else "..."
        terms = [self._product(edges, write, times, dots) for _, edges in self._paths]
        return plus.join([*terms, *([dots] if self._count > len(terms) else [])])

    def _number(self, notation: Text) -> Callable[[Any], str]:
        return lambda edge: notation.number(edge[0].partials[edge[1]])

    def _written_formula(self, edge: tuple[Stop, int]) -> str:
        return latex.at_least(self._formula[edge].tree, PRODUCT if len(self._edges) > 1 else 0)

    def _products(self, notation: Text) -> str:
        """The products of several paths, added up."""
        terms = [worth for worth, _ in self._paths] + ([self._rest] if self._count > len(self._paths) else [])
        signs = ["-" if term < 0 else "+" for term in terms]
        numbers = [notation.number(abs(term)) for term in terms]
        return ("-" if terms[0] < 0 else "") + numbers[0] + "".join(f" {s} {x}" for s, x in zip(signs[1:], numbers[1:]))

    def _quantities(self) -> list[tuple[ast.expr, Formula, float]]:
        """The quantities on the way, and what the formulas call by a name given here, by their definitions."""
        formulas = self._formulas
        shown = {node for stop, i in self._edges for node in (stop.node, stop.parents[i].node)} | {self.cost}
        rows = {node: formulas.definition(node) for node in shown if node.op and formulas.is_named(node)}
        trees = [formula.tree for formula in (*rows.values(), *self._formula.values())]
        rows |= dict(formulas.where(trees, known=self._stops))
        return [(self._name(node), rows[node], node.data) for node in formulas.order if node in rows]

    # The three forms

    @property
    def text(self) -> str:
        """The derivation in plain text."""
        derivative = self._derivative(text)
        if not self._count:
            return f"{derivative} = 0\n\n{self._remark(text)}"
        if self.value is self.cost:
            return f"{derivative} = 1\n\n{self._remark(text)}"
        indent = "\n" + " " * len(derivative)
        numbers = f"{derivative} = {self._sum(self._number(text), text, ' * ', indent + ' + ')}"
        quantities = aligned([[text(x), f.written(text), digits(data)] for x, f, data in self._quantities()])
        if len(self._edges) == 1:
            factor = [f"{derivative} = {self.factors[0].formula}"]
            factor += [digits(self.gradient)] * (digits(self.gradient) != self.factors[0].formula)
            return "\n\n".join([*quantities, " = ".join(factor), self._remark(text)])
        symbols = f"{derivative} = {self._sum(lambda edge: self._symbol(text, edge), text, ' * ', indent + ' + ')}"
        if self._several:
            numbers += f"{indent} = {self._products(text)}{indent} = {digits(self.gradient)}"
        else:
            numbers += f" = {digits(self.gradient)}"
        factors = aligned([[f.name, f.formula, digits(f.value)] for f in self.factors])
        return "\n\n".join([*quantities, symbols, *factors, numbers, self._remark(text)])

    @property
    def latex(self) -> str:
        """The derivation in LaTeX, to be set in mathematics mode: symbols, formulas, numbers and the gradient."""
        derivative = self._derivative(latex)
        if not self._count or self.value is self.cost:
            return f"{derivative} = {latex.number(self.gradient)}"
        plus = " \\\\\n&\\quad + "
        symbols = [self._sum(lambda edge: self._symbol(latex, edge), latex, r" \, ", plus)]
        lines = symbols * (len(self._edges) > 1) + [
            self._sum(self._written_formula, latex, r" \cdot ", plus),
            self._sum(self._number(latex), latex, r" \cdot ", plus),
        ]
        if self._several:
            lines.append(self._products(latex))
        lines.append(latex.number(self.gradient))
        lines = [line for i, line in enumerate(lines) if i == 0 or line != lines[i - 1]]
        return f"\\begin{{aligned}}\n{derivative} &= " + " \\\\\n&= ".join(lines) + "\n\\end{aligned}"

    @property
    def markdown(self) -> str:
        """The derivation in Markdown, its mathematics in LaTeX."""
        say = lambda tree: f"${latex(tree)}$"  # noqa: E731
        parts = [f"$$\n{self.latex}\n$$", self._remark(say)]
        if self.factors and len(self.factors) > 1:
            number = self._number(latex)
            rows = [
                f"| ${self._symbol(latex, edge)}$ | ${self._case(edge)}$ | ${number(edge)}$ |" for edge in self._edges
            ]
            parts.insert(1, "\n".join(["| factor | formula | value |", "|:--|:--|--:|", *rows]))
        if quantities := self._quantities():
            told = (f"${latex(x)} = {f.written(latex, *IF)} = {latex.number(data)}$" for x, f, data in quantities)
            parts.insert(0, "With " + ", ".join(told) + ":")
        return "\n\n".join(parts)

    def _case(self, edge: tuple[Stop, int]) -> str:
        return self._formula[edge].written(latex, *IF).replace("|", r"\vert ")  # a bar would end the table's cell

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/markdown": self.markdown}

    # What made it large or small

    def _remark(self, say: Callable[[ast.expr], str]) -> str:
        cost, value = say(self._name(self.cost)), say(self._name(self.value))
        if not self._count:
            return f"No path leads from {value} to {cost}: the cost does not depend on it."
        if self.value is self.cost:
            return "A quantity changes at its own rate."
        sizes = exact_sum([abs(worth) for worth, _ in self._paths])
        if len(self._paths) > 1 and sizes > 10 * abs(self.gradient):
            return f"The paths cancel: taken without their signs, the largest add up to {digits(sizes)}."
        prefix = ""
        if self._count > 1:
            prefix = f"{whole(self._count)} paths are added. On the largest of them, " if sizes else "On every path, "
        factors = [(edge, edge[0].partials[edge[1]]) for edge in self._largest]
        if len(factors) > LONGEST and 0 < abs(self.gradient) < math.inf:
            mean = math.exp(math.fsum(logarithm(x) for _, x in factors) / len(factors))
            trend = "so it vanishes" if mean < 0.9 else "so it explodes" if mean > 1.1 else "so it keeps its size"
            return f"{prefix}{len(factors)} factors are multiplied, {digits(mean, 3)} on average: {trend}."
        large = logarithm(math.prod(factor for _, factor in factors)) >= 0
        decisive = (max if large else min)(factors, key=lambda each: logarithm(each[1]))
        reason = self._reason(*decisive, "large" if large else "small", say)
        return (
            prefix + reason if prefix or not reason.startswith(("the ", "every ")) else reason[:1].upper() + reason[1:]
        )

    def _operation(self, edge: tuple[Stop, int]) -> str:
        """The function that a factor is the slope of; an empty string where it is arithmetic."""
        stop, i = edge
        direct = stop.parents[i].node in stop.node.parents and len(stop.routes[i]) == 1
        return stop.node.op if direct and not is_arithmetic(stop.node.op) else ""

    def _reason(self, edge: tuple[Stop, int], factor: float, outcome: str, say: Callable[[ast.expr], str]) -> str:
        """What the factor that decides the size of the gradient comes from."""
        stop, i = edge
        lower = stop.parents[i].node
        tree = self._formula[edge].tree if edge in self._formula else stop.formula(i, self._formulas).tree
        at = f"{say(self._name(lower))} = {digits(lower.data)}"
        plain = isinstance(tree, ast.Constant) or len(text(tree)) > 60
        worth = digits(factor) if plain else f"{say(tree)} = {digits(factor)}"
        operation = self._operation(edge)
        if math.isnan(factor):
            return f"the factor {worth} is not a number: there is no slope at {at}."
        if operation and factor == 0:
            return f"{operation} is flat at {at}: its slope is 0, and a dead unit passes nothing back."
        if operation and abs(factor) < 0.1:
            slope = digits(factor)
            return (
                f"{operation} is nearly flat (saturated) at {at}: its slope is only {slope}, so the gradient is small."
            )
        if factor == 0:
            return f"the factor {worth} makes the whole product 0."
        if abs(logarithm(factor)) < math.log(1.25):
            return "every factor is near 1: the gradient passes almost unchanged."
        match tree:
            case ast.BinOp(ast.Constant(float() as twice), ast.Mult(), ast.BinOp(_, ast.Sub(), _) as error):
                return f"the error {say(error)} = {digits(factor / twice)} makes the gradient {outcome}."
        return f"the factor {worth} does most to make the gradient {outcome}."


def logarithm(x: float) -> float:
    """log |x|, infinite for 0 and nan."""
    return math.log(abs(x)) if x and x == x else -math.inf


def aligned(rows: list[list[str]]) -> list[str]:
    """Equations, one a line, their signs of equality below each other; nothing for no rows."""
    rows = [row if row[1] != row[2] else [row[0], row[1], ""] for row in rows]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = [
        f"  {name.ljust(widths[0])} = {formula.ljust(widths[1])}{' = ' + number if number else ''}".rstrip()
        for name, formula, number in rows
    ]
    return ["\n".join(lines)] if lines else []


def explain(cost: Value, value: Value) -> Explanation:
    """The chain rule for d cost / d value, as a textbook works it.

    First the symbols, from one labelled quantity to the next; then each factor's formula, which the table of
    primitives gives; then the numbers and their product, or the sum of the products of several paths; and a sentence
    on what made the gradient as large or small as it is.

    Raises:
        TypeError: `cost` or `value` is not a Value.

    >>> a, y = Value(0.25, label="a"), Value(1.0, label="y")
    >>> C = (a - y) ** 2
    >>> C.label = "C"
    >>> print(explain(C, a))
      C = (a - y)^2 = 0.5625
    <BLANKLINE>
    dC/da = 2 (a - y) = -1.5
    <BLANKLINE>
    The error a - y = -0.75 makes the gradient large.
    """
    require_values("explain", cost, value)
    return Explanation(cost, value)
