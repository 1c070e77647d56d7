"""paths: every route along which a value reaches the cost, and what each of them contributes to the gradient.

A gradient is a sum over paths of products of local derivatives. Here the sum is taken apart: the paths are counted
exactly, the largest are listed, and the others are one remainder. Nothing enumerates them all.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from autograd.core.value import Value
from autograd.explaining.formulas import Formulas
from autograd.explaining.notation import Notation, html_table, runs, text, text_table
from autograd.explaining.pathsum import count_text, ieee_sum, largest_paths, reached, require_values, shortened
from autograd.explaining.state import stale_words, summed_gradient
from autograd.explaining.typography import in_digits


@dataclass(frozen=True)
class Path:
    """One route from a value to the cost.

    Attributes:
        nodes: the Values on the route, the value first, the cost last.
        factors: the local derivative of each step: factors[i] = d nodes[i + 1] / d nodes[i].
        product: the product of the factors, what the route contributes to the gradient.
        share: product / gradient; nan where the gradient is 0.
        edges: for each step (node, i), which of the node's parents it came from: `x * x` has two edges from x.
    """

    nodes: tuple[Value, ...]
    factors: tuple[float, ...]
    product: float
    share: float
    edges: tuple[tuple[Value, int], ...]

    def __repr__(self) -> str:
        formulas = Formulas(self.nodes[-1], self.nodes[0])
        names = ["..." if node is None else formulas.short(node) for node in shortened(self.nodes)]
        return f"<Path {' -> '.join(names)}, product {in_digits(self.product)}>"


class Paths:
    """The largest paths by |product|, largest first; a sequence of `Path`.

    Attributes:
        count: how many paths there are in all, exactly.
        total: the sum of all their products, the gradient.
        remainder: the sum of the products that are not listed; exactly 0.0 when all are.
    """

    def __init__(self, cost: Value, value: Value, limit: int):
        self.cost, self.value = cost, value
        self._stale = stale_words(cost)
        reach = reached(cost, value)
        self.count: int = reach[cost].paths if cost in reach else 0
        found, rest = largest_paths(cost, value, reach, limit)
        self.remainder: float = ieee_sum(rest)
        self.total: float = ieee_sum([product for product, _ in found] + rest)
        share = lambda product: product / self.total if self.total else math.nan  # noqa: E731
        self._paths = [
            Path(
                (value, *(node for node, _ in edges)),
                tuple(node.partials[i] for node, i in edges),
                product,
                share(product),
                edges,
            )
            for product, edges in found
        ]

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> list[Path]: ...
    def __getitem__(self, index: int | slice) -> Path | list[Path]:
        return self._paths[index]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def _where(self, formulas: Formulas) -> list[str]:
        shown = {node for path in self for node in shortened(path.nodes) if node is not None} | {self.cost, self.value}
        names = [formulas.name(node) for node in formulas.order if node in shown and node.op]
        return [
            f"where {text(formulas.name(node))} = {text(formulas.told_apart(node))}" for node in formulas.where(names)
        ]

    def _rows(self, formulas: Formulas, notation: Notation, arrow: str, times: str) -> list[list[Any]]:
        def joined(items: Sequence[Any], sign: str, write: Callable[[Any], Any]) -> Any:
            pieces = [notation.row("...") if x is None else write(x) for x in shortened(items)]
            return notation.row(*[part for piece in pieces for part in (sign, piece)][1:])

        rows = []
        for path in self:
            names = joined(path.nodes, arrow, lambda node: formulas.short(node, notation))
            factors = joined(path.factors, times, notation.number)
            rows.append([names, factors, notation.number(path.product), percent(path.share)])
        if self.count > len(self):
            rest = self.remainder / self.total if self.total else math.nan
            more = f"{count_text(self.count - len(self))} more"
            rows.append([more, "", notation.number(self.remainder), percent(rest)])
        if self.count:
            rows.append(["total", "", notation.number(self.total), ""])
        return rows

    def _title(self, formulas: Formulas) -> str:
        value, cost = formulas.short(self.value), formulas.short(self.cost)
        if not self.count:
            return f"no path leads from {value} to {cost}: the gradient is 0"
        return f"{count_text(self.count)} path{'s' * (self.count != 1)} from {value} to {cost}"

    def __str__(self) -> str:
        formulas = Formulas(self.cost, self.value)
        title, rows = self._title(formulas), self._rows(formulas, text, " -> ", " * ")
        where = [*self._where(formulas), *filter(None, [self._stale, summed_gradient(self.value, self.total)])]
        listing = [text_table(["path", "factors", "product", "share"], rows)] if rows else []
        return "\n\n".join([title, *listing, *(["\n".join(where)] if where else [])])

    def __repr__(self) -> str:
        return f"<Paths: {self._title(Formulas(self.cost, self.value))}, total {in_digits(self.total)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._html()}

    def _html(self) -> str:
        formulas = Formulas(self.cost, self.value)
        title, rows = self._title(formulas), self._rows(formulas, runs, " → ", " · ")
        state = filter(None, [self._stale, summed_gradient(self.value, self.total)])
        return html_table(
            "\n".join([title, *self._where(formulas), *state]), ["path", "factors", "product", "share"], rows
        )


Sequence.register(Paths)  # type: ignore[attr-defined]  # in all but `count`, which here is the number of paths


def paths(cost: Value, value: Value, limit: int = 20) -> Paths:
    """The paths from a value to the cost: sum over paths of the product of partials = d cost / d value.

    At most `limit` are listed, the largest by |product| first; `count` is exact however many there are, and `remainder`
    is the sum of those not listed. Paths whose product is 0 come last.

    Raises:
        TypeError: `cost` or `value` is not a Value, or `limit` not an int.
        ValueError: `limit` is negative.

    >>> x = Value(3.0, label="x")
    >>> routes = paths(x * x + x, x)
    >>> [path.product for path in routes], routes.total
    ([3.0, 3.0, 1.0], 7.0)
    """
    require_values("paths", cost, value)
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"limit is how many paths to list at most, an int, not {limit!r}")
    if limit < 0:
        raise ValueError(f"limit is how many paths to list at most, so it is not negative: {limit}")
    return Paths(cost, value, limit)


def percent(share: float) -> str:
    """A share as a percentage; empty where there is none."""
    if not math.isfinite(share):
        return ""
    percents = 100 * share + 0.0  # no -0
    return f"{percents:.3g}%" if abs(percents) < 1000 or abs(percents) >= 1e9 else f"{percents:.0f}%"
