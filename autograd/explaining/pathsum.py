"""The sum over paths, for anything that has `parents` and `partials`.

Along how many paths a value reaches a node, which of them are the largest, and what the others add up to. Nothing
enumerates them all.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count as counter
from typing import Any

from autograd.core.graph import topological_order
from autograd.core.value import Value


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
                ieee_sum([partial * parent.slope for parent, partial in edges]),
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


def ieee_sum(terms: Iterable[float]) -> float:
    """The correctly rounded sum; as IEEE 754 adds where that is infinite or has no value."""
    terms = list(terms)
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return sum(terms)


def shortened(items: Sequence[Any], ends: int = 4) -> Sequence[Any]:
    """The items, those in the middle of a long list replaced by one None."""
    return items if len(items) <= 2 * ends + 1 else [*items[:ends], None, *items[-ends:]]


def count_text(n: int) -> str:
    """A count, in full while it can be read."""
    return f"{n:,}" if n < 10**15 else f"about 10^{int(math.log10(n))}"


def require_values(name: str, cost: Any, value: Any) -> None:
    """Raise a TypeError unless both are Values."""
    for role, given in (("cost", cost), ("value", value)):
        if not isinstance(given, Value):
            raise TypeError(
                f"{name}(cost, value) takes two Values of one graph; its {role} is {given!r} ({type(given).__name__})"
            )
