"""explain: one derivative worked as a textbook works it, first in symbols, then in formulas, then in numbers.

The route from the value to the cost is taken from one quantity to the next (`chain`), each step is one factor; the
formulas are the table's (`formulas`), written as text or as LaTeX (`notation`). Here they become a derivation.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from autograd.core.value import Value
from autograd.explaining.chain import Link, chain
from autograd.explaining.formulas import Formulas, product_of_formulas
from autograd.explaining.notation import PRODUCT, Notation, latex, text
from autograd.explaining.pathsum import ieee_sum, largest_paths, reached, require_values, shortened
from autograd.explaining.state import stale_words, summed_gradient
from autograd.explaining.symbols import Symbol
from autograd.explaining.typography import in_digits
from autograd.explaining.verdict import Reason, Verdict

MOST_FACTORS = 9  # factors of one path, and
MOST_PATHS = 6  # paths, that are written out
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
        reasons: what made the gradient as small or large as it is, the weightiest first, each a `Reason`.
        derivation: for softmax with cross-entropy, why its factors are p_j - y_j.
    """

    def __init__(self, cost: Value, value: Value):
        self._stale = stale_words(cost)
        self._formulas = Formulas(cost, value)
        self._links = chain(cost, value, self._formulas)
        self.cost, self.value = cost, value
        self._paths: list[tuple[float, tuple[tuple[Link, int], ...]]] = []
        self._rest: float = 0.0
        self._count = self._all = 0  # paths from name to name, and in the graph
        if self._links:
            ends = self._links[cost], self._links[value]
            reach = reached(*ends)
            self._count = reach[ends[0]].paths
            self._all = reached(cost, value)[cost].paths
            self._paths, rest = largest_paths(*ends, reach, MOST_PATHS)
            self._rest = ieee_sum(rest)
        self.gradient = ieee_sum([*(worth for worth, _ in self._paths), self._rest])
        self._summed = summed_gradient(value, self.gradient)
        self._largest = self._paths[0][1] if self._paths else ()
        self._verdict = Verdict(self._formulas, self._links, self._largest, (self._count, self._all), self.gradient)
        if self._count <= len(self._paths):  # all are shown: in the order of the graph, as a textbook lists them
            place = {id(link): i for i, link in enumerate(self._links.values())}
            self._paths.sort(key=lambda path: [place[id(link)] for link, _ in path[1]])
        shown = {edge for _, edges in self._paths for edge in shortened(edges, MOST_FACTORS // 2) if edge}
        self._edges = [
            (link, i) for link in self._links.values() for i in range(len(link.parents)) if (link, i) in shown
        ]
        self._around = {edge: around for edge in self._edges if (around := self._other_ways(edge))}
        self._formula = {(link, i): link.formula(i, self._formulas) for link, i in self._edges}

    @property
    def factors(self) -> list[Factor]:
        """The factors that occur, in the order of the graph: name, formula, value."""
        return [
            Factor(self._symbol(text, edge), self._formula[edge].written(text), edge[0].partials[edge[1]])
            for edge in self._edges
        ]

    @property
    def reasons(self) -> list[Reason]:
        """What made the gradient as small or large as it is, the weightiest first."""
        return self._verdict.reasons

    @property
    def _several(self) -> bool:
        return self._count > 1

    # Pieces, in either notation

    def _name(self, node: Value) -> Symbol:
        return self._formulas.alone(node)

    def _derivative(self, notation: Notation) -> str:
        return notation.derivative(self._name(self.cost), self._name(self.value))

    def _symbol(self, notation: Notation, edge: tuple[Link, int]) -> str:
        link, i = edge
        derivative = notation.derivative(self._name(link.node), self._name(link.parents[i].node))
        return notation.direct(derivative) if edge in self._around else derivative

    def _other_ways(self, edge: tuple[Link, int]) -> list[Link]:
        """The other parents of a link that depend on this one: what is held fixed in the factor of the edge."""
        link, i = edge
        if len(link.parents) < 2:
            return []
        depending = {link.parents[i]}
        for later in self._links.values():  # in topological order
            if not depending.isdisjoint(later.parents):
                depending.add(later)
            if later is link:
                break
        return [parent for k, parent in enumerate(link.parents) if k != i and parent in depending]

    def _direct_slope(self, notation: Notation, write: Callable[[str], str]) -> str:
        """What the symbol of a direct contribution means, at the first that occurs."""
        if not self._around:
            return ""
        edge, around = max(self._around.items(), key=lambda item: item[0][0].node is self.cost)
        link, i = edge
        total = notation.derivative(self._name(link.node), self._name(link.parents[i].node))
        names = [write(notation(self._name(other.node))) for other in around[:3]]
        names += [f"{len(around) - 3} more"] * (len(around) > 3)
        fixed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        x = write(notation(self._name(link.parents[i].node)))
        return (
            f"{write(self._symbol(notation, edge))} is what {x} contributes by itself, with {fixed} held fixed; "
            f"{write(total)} counts all paths."
        )

    def _product(self, edges: tuple, write: Callable[[Any], str], times: str, dots: str) -> str:
        shown = shortened(edges, MOST_FACTORS // 2)
        factors = [dots if edge is None else write(edge) for edge in shown]
        return times.join(f"({x})" if x.startswith("-") else x for x in factors) if factors else "1"

    def _sum(self, write: Callable[[Any], str], notation: Notation, times: str, plus: str) -> str:
        """The sum over paths, with each factor written by `write`."""
        if len(self._edges) == 1:
            return write(self._edges[0])
        dots = r"\cdots" if notation is latex else "..."
        terms = [self._product(edges, write, times, dots) for _, edges in self._paths]
        return plus.join([*terms, *([dots] if self._count > len(terms) else [])])

    def _number(self, notation: Notation) -> Callable[[Any], str]:
        return lambda edge: notation.number(edge[0].partials[edge[1]])

    def _written_formula(self, edge: tuple[Link, int]) -> str:
        return latex.at_least(self._formula[edge].symbol, PRODUCT if len(self._edges) > 1 else 0)

    def _products(self, notation: Notation) -> str:
        """The products of several paths, added up."""
        terms = [worth for worth, _ in self._paths] + ([self._rest] if self._count > len(self._paths) else [])
        signs = ["-" if term < 0 else "+" for term in terms]
        numbers = [notation.number(abs(term)) for term in terms]
        return ("-" if terms[0] < 0 else "") + numbers[0] + "".join(f" {s} {x}" for s, x in zip(signs[1:], numbers[1:]))

    def _quantities(self) -> list[tuple[Symbol, Symbol, float]]:
        """The quantities on the way, and what the formulas call by a name given here, by their definitions."""
        formulas = self._formulas
        shown = {node for link, i in self._edges for node in (link.node, link.parents[i].node)} | {self.cost}
        rows = {node: formulas.told_apart(node) for node in shown if node.op and formulas.is_named(node)}
        trees = [*rows.values(), *(formula.symbol for formula in self._formula.values())]
        rows |= {node: formulas.told_apart(node) for node in formulas.where(trees, known=self._links)}
        known = [(self._name(node), rows[node], node.data) for node in formulas.order if node in rows]
        return [*known, *formulas.added()]

    @property
    def chain_rule(self) -> str:
        """The chain rule in symbols, in plain text on one line: `dC/dw = dz/dw * dC/dz`."""
        if not self._count or self.value is self.cost:
            return f"{self._derivative(text)} = {in_digits(self.gradient)}"
        shown = len(self._edges) > 1
        write = (lambda edge: self._symbol(text, edge)) if shown else (lambda edge: self._formula[edge].written(text))
        return f"{self._derivative(text)} = {self._sum(write, text, ' * ', ' + ')}"

    @property
    def derivation(self) -> str:
        """Why the factors of a cross-entropy are p_j - y_j: for each of them the sum over its paths, in plain text.

        Empty for other costs, whose factors are derived by their formulas already.
        """
        parts = []
        for link, i in self._edges:
            if not link.logits:
                continue
            loss, logit = link.node, link.parents[i].node
            reach = reached(loss, logit)
            found, rest = largest_paths(loss, logit, reach, MOST_PATHS)
            rows = [
                [
                    in_digits(worth),
                    product_of_formulas([self._formulas.partial(*edge) for edge in edges]).written(text),
                    "",
                ]
                for worth, edges in found
            ]
            rows += [[in_digits(ieee_sum(rest)), f"{reach[loss].paths - len(found)} more paths", ""]] * bool(rest)
            lines = [f"  {'+ ' if k else '  '}{formula} = {worth}" for k, (worth, formula, _) in enumerate(rows)]
            name = self._symbol(text, (link, i))
            definition = f"{text(self._name(loss))} = {text(self._formulas.definition(loss))}"
            head = f"{name}, with {definition}, is the sum over paths"
            last = f"  = {self._formula[link, i].written(text)} = {in_digits(link.partials[i])}"
            parts.append("\n".join([head, *lines, last]))
        return "\n\n".join(parts)

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
        quantities = aligned_equations([[text(x), text(f), in_digits(data)] for x, f, data in self._quantities()])
        if len(self._edges) == 1:
            factor = [f"{derivative} = {self.factors[0].formula}"]
            factor += [in_digits(self.gradient)] * (in_digits(self.gradient) != self.factors[0].formula)
            return "\n\n".join(filter(None, [*quantities, " = ".join(factor), self._remark(text)]))
        symbols = f"{derivative} = {self._sum(lambda edge: self._symbol(text, edge), text, ' * ', indent + ' + ')}"
        if self._several:
            numbers += f"{indent} = {self._products(text)}{indent} = {in_digits(self.gradient)}"
        else:
            numbers += f" = {in_digits(self.gradient)}"
        factors = aligned_equations([[f.name, f.formula, in_digits(f.value)] for f in self.factors])
        direct = self._direct_slope(text, str)
        return "\n\n".join(filter(None, [*quantities, symbols, *factors, direct, numbers, self._remark(text)]))

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
        write = lambda tree: f"${latex(tree)}$"  # noqa: E731
        parts = [
            f"$$\n{self.latex}\n$$",
            self._direct_slope(latex, lambda formula: f"${formula}$"),
            self._remark(write),
        ]
        if self.factors and len(self.factors) > 1:
            number = self._number(latex)
            rows = [
                f"| ${self._symbol(latex, edge)}$ | ${self._case(edge)}$ | ${number(edge)}$ |" for edge in self._edges
            ]
            parts.insert(1, "\n".join(["| factor | formula | value |", "|:--|:--|--:|", *rows]))
        if quantities := self._quantities():
            equations = (f"${latex(x)} = {latex(f)} = {latex.number(data)}$" for x, f, data in quantities)
            parts.insert(0, "With " + ", ".join(equations) + ":")
        return "\n\n".join(filter(None, parts))

    def _remark(self, write: Callable[[Symbol], str]) -> str:
        verdict = self._stale or self._verdict.judged(write)[1]
        return " ".join(filter(None, [verdict, self._summed]))

    def _case(self, edge: tuple[Link, int]) -> str:
        return self._formula[edge].written(latex, *IF)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/markdown": self.markdown}


def aligned_equations(rows: list[list[str]]) -> list[str]:
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
    primitives gives; then the numbers and their product, or the sum of the products of several paths; and, of several
    factors, a sentence on which of them made the gradient as large or small as it is.

    Raises:
        TypeError: `cost` or `value` is not a Value.

    >>> a, y = Value(0.25, label="a"), Value(1.0, label="y")
    >>> C = (a - y) ** 2
    >>> C.label = "C"
    >>> print(explain(C, a))
      C = (a - y)^2 = 0.5625
    <BLANKLINE>
    dC/da = 2 (a - y) = -1.5
    """
    require_values("explain", cost, value)
    return Explanation(cost, value)
