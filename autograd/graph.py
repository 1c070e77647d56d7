"""The graph: a topological order, and the passes over it, backward and forward.

Three loops. They know only that a node has `parents` and `partials`; what was computed does not matter to them.
"""

from collections.abc import Iterable
from typing import Any


def topological_order(*costs: Any) -> list:
    """Every node that the costs depend on, parents before the nodes computed from them, each once.

    Depth first and without recursion, in time linear in the edges, so a chain of a million nodes is fine.
    """
    order: list[Any] = []
    seen = set()
    for cost in costs:
        if cost in seen:
            continue
        seen.add(cost)
        stack = [(cost, iter(cost.parents))]
        while stack:
            node, waiting = stack[-1]
            for parent in waiting:
                if parent not in seen:
                    seen.add(parent)
                    stack.append((parent, iter(parent.parents)))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def backpropagate(cost: Any) -> dict[Any, float]:
    """d cost / d node for every node the cost depends on: over all paths, the sum of the products of their partials.

    From the cost towards the leaves, each node hands `its gradient * partial` to each of its parents. The order
    makes sure that a node has collected everything before it hands anything on.
    """
    order = topological_order(cost)
    gradient = dict.fromkeys(order, 0.0)
    gradient[cost] = 1.0
    for node in reversed(order):
        upstream = gradient[node]
        for parent, partial in zip(node.parents, node.partials):
            gradient[parent] += upstream * partial
    return gradient


def push_forward(order: Iterable[Any], tangent: dict[Any, float]) -> None:
    """Forward mode: complete `tangent`, from some leaves to every node of a topological order that depends on them.

    Where `backpropagate` asks how fast the cost changes with each node, this asks how fast each node changes when the
    leaves move: the sum over its parents of `partial * the parent's change`.
    """
    for node in order:
        changes = [partial * tangent[x] for x, partial in zip(node.parents, node.partials) if x in tangent]
        if changes:
            tangent[node] = sum(changes)


def zero_grad(values: Iterable[Any]) -> None:
    """Set the gradient of each of the values to 0.0."""
    for value in list(values):
        value.grad = 0.0
