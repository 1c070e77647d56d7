"""paths: every route along which a value reaches the cost, and what each of them contributes to the gradient.

A gradient is a sum over paths of products of local derivatives. Here the sum is taken apart: the paths are counted
exactly, the largest are listed, and the others are one remainder. Nothing enumerates them all.
"""

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count as counter
from typing import Any, overload

from autograd.core.graph import topological_order
from autograd.core.value import Value
from autograd.explaining.formulas import Formulas
from autograd.explaining.notation import html_table, table, text
from autograd.explaining.typography import digits


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
        steps = f"{len(self.factors)} factor{'s' * (len(self.factors) != 1)}"
        return f"<Path of {steps}, product {digits(self.product)}>"


class Paths:
    """The largest paths by |product|, largest first; a sequence of `Path`.

    Attributes:
        count: how many paths there are in all, exactly.
        total: the sum of all their products, the gradient.
        remainder: the sum of the products that are not listed; exactly 0.0 when all are.
    """

    def __init__(self, cost: Value, value: Value, limit: int):
        self.cost, self.value = cost, value
        reach = reached(cost, value)
        self.count: int = reach[cost].paths if cost in reach else 0
        found, rest = largest_paths(cost, value, reach, limit)
        self.remainder: float = exact_sum(rest)
        self.total: float = exact_sum([product for product, _ in found] + rest)
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
            f"where {text(formulas.name(node))} = {text(formulas.definition(node))}" for node in formulas.where(names)
        ]

    def _rows(self, formulas: Formulas, arrow: str, times: str) -> list[list[str]]:
        rows = []
        for path in self:
            names = [formulas.short(node) if node is not None else "..." for node in shortened(path.nodes)]
            factors = ["..." if x is None else digits(x) for x in shortened(path.factors)]
            rows.append([arrow.join(names), times.join(factors), digits(path.product), percent(path.share)])
        if self.count > len(self):
            rest = self.remainder / self.total if self.total else math.nan
            rows.append([f"{whole(self.count - len(self))} more", "", digits(self.remainder), percent(rest)])
        if self.count:
            rows.append(["total", "", digits(self.total), ""])
        return rows

    def _title(self, formulas: Formulas) -> str:
        value, cost = formulas.short(self.value), formulas.short(self.cost)
        if not self.count:
            return f"no path leads from {value} to {cost}: the gradient is 0"
        return f"{whole(self.count)} path{'s' * (self.count != 1)} from {value} to {cost}"

    def __str__(self) -> str:
        formulas = Formulas(self.cost, self.value)
        title, rows = self._title(formulas), self._rows(formulas, " -> ", " * ")
        where = self._where(formulas)
        listing = [table(["path", "factors", "product", "share"], rows)] if rows else []
        return "\n\n".join([title, *listing, *(["\n".join(where)] if where else [])])

    def __repr__(self) -> str:
        return f"<Paths: {self._title(Formulas(self.cost, self.value))}, total {digits(self.total)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._html()}

    def _html(self) -> str:
        formulas = Formulas(self.cost, self.value)
        title, rows = self._title(formulas), self._rows(formulas, " → ", " · ")
        return html_table("\n".join([title, *self._where(formulas)]), ["path", "factors", "product", "share"], rows)


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


def require_values(name: str, cost: Any, value: Any) -> None:
    """Raise a TypeError unless both are Values."""
    for role, given in (("cost", cost), ("value", value)):
        if not isinstance(given, Value):
            raise TypeError(
                f"{name}(cost, value) takes two Values of one graph; its {role} is {given!r} ({type(given).__name__})"
            )


# The sum over paths, for anything that has `parents` and `partials` ------------------------------------------------


@dataclass(slots=True)
class Reach:
    """How a value reaches a node: along how many paths, with what slope, and the log of the largest |product|."""

    paths: int
    slope: float
    size: float


def reached(cost: Any, value: Any) -> dict[Any, Reach]:
    """For every node between the value and the cost, both included, how the value reaches it; in topological order."""
    reach: dict[Any, Reach] = {}
    for node in topological_order(cost):
        if node is value:
            reach[node] = Reach(1, 1.0, 0.0)
            continue
        edges = [(reach[parent], partial) for parent, partial in zip(node.parents, node.partials) if parent in reach]
        if edges:
            reach[node] = Reach(
                sum(parent.paths for parent, _ in edges),
                exact_sum([partial * parent.slope for parent, partial in edges]),
                max(grown(parent.size, partial) for parent, partial in edges),
            )
    return reach


def grown(size: float, factor: float) -> float:
    """The log of |product| after one more factor: logs neither overflow nor underflow. A nan ranks as infinite."""
    size += math.log(abs(factor)) if factor else -math.inf
    return math.inf if math.isnan(size) else size


def largest_paths(cost: Any, value: Any, reach: dict[Any, Reach], limit: int) -> tuple[list, list[float]]:
    """The `limit` largest paths as (product, edges), and terms that add up to all the others.

    Best first, from the cost back to the value. An entry of the queue stands for all paths that begin alike; it is as
    large as its largest, which `reach` knows exactly. Following that one to its end leaves the queue one entry for
    every turn not taken, so listed paths and queue together are always all paths, each once.
    """
    found: list[tuple[float, tuple]] = []
    ticket = counter()  # breaks ties by age; nodes are never compared
    queue: list[Any] = [(-reach[cost].size, next(ticket), cost, 1.0, 0.0, None)] if cost in reach else []
    while queue and len(found) < limit:
        _, _, node, product, size, trail = heapq.heappop(queue)
        while node is not value:
            steps = [
                (grown(size, partial), parent, partial, i)
                for i, (parent, partial) in enumerate(zip(node.parents, node.partials))
                if parent in reach
            ]
            ranks = [grown(step[0] + reach[step[1]].size, 1.0) for step in steps]
            best = ranks.index(max(ranks))
            for rank, (grown_size, parent, partial, i) in zip(ranks, steps):
                if i != steps[best][3]:
                    entry = (parent, product * partial, grown_size, ((node, i), trail))
                    heapq.heappush(queue, (-rank, next(ticket), *entry))
            size, parent, partial, i = steps[best]
            node, product, trail = parent, product * partial, ((node, i), trail)
        edges = []
        while trail:
            edge, trail = trail
            edges.append(edge)
        found.append((product, tuple(edges)))
    found.sort(key=lambda path: math.inf if math.isnan(path[0]) else abs(path[0]), reverse=True)
    return found, [product * reach[node].slope for _, _, node, product, _, _ in queue]


def exact_sum(terms: Iterable[float]) -> float:
    """The correctly rounded sum; as IEEE 754 adds where that is infinite or has no value."""
    terms = list(terms)
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return sum(terms)


# Text --------------------------------------------------------------------------------------------------------------


def shortened(items: Sequence[Any], ends: int = 4) -> Sequence[Any]:
    """The items, those in the middle of a long list replaced by one None."""
    return items if len(items) <= 2 * ends + 1 else [*items[:ends], None, *items[-ends:]]


def percent(share: float) -> str:
    """A share as a percentage; empty where there is none."""
    return f"{100 * share:.3g}%" if math.isfinite(share) else ""


def whole(n: int) -> str:
    """A count, in full while it can be read."""
    return f"{n:,}" if n < 10**15 else f"about 10^{int(math.log10(n))}"
