"""Stops: the quantities at which a reader of the chain rule pauses, on the way from a value to the cost.

They form a graph of their own, shorter than the one that was recorded. What has no label and is mere arithmetic belongs
to the formula of the step across it, so that C = (a - y)^2 is one step from a, with the factor dC/da = 2 (a - y).
"""

import ast
import math

from autograd.core.value import Value
from autograd.explaining.formulas import Formula, Formulas, is_arithmetic, product, total
from autograd.explaining.notation import text
from autograd.explaining.paths import exact_sum, reached, shortened

Route = tuple[tuple[Value, int], ...]  # edges, each a node and which of its parents it comes from

SUMMED = 40  # terms of a factor's formula that are looked at
WIDEST = 14  # letters in the formula of a quantity that goes without a name


class Stop:
    """A quantity on the way, as the chain rule sees it: its parents are the quantities before it on the way.

    It has `parents` and `partials` like a node of the graph, so everything that walks a graph walks stops as well.
    """

    def __init__(self, node: Value):
        self.node = node
        self.parents: list[Stop] = []
        self.partials: list[float] = []
        self.routes: list[list[Route]] = []  # for each parent, all routes from it

    def formula(self, i: int, formulas: Formulas) -> Formula:
        """d self / d parents[i] as a formula: a sum over routes of products; of very many only the ends."""
        routes = shortened(self.routes[i], SUMMED // 2)
        dots = Formula(ast.Name("..."))
        return total([product([formulas.partial(*edge) for edge in route]) if route else dots for route in routes])


def stops(cost: Value, value: Value, formulas: Formulas) -> dict[Value, Stop]:
    """The quantities on the way from the value to the cost, in topological order.

    They are the ends, whatever has a name, and without a name the functions and what those are applied to. Of these,
    such as have a long formula are given a name.
    """
    way = reached(cost, value)
    applied = {
        parent
        for node in way
        if node is not value and not is_arithmetic(node.op)
        for parent in node.parents
        if parent in way
    }
    chosen = {
        node: Stop(node)
        for node in way
        if node in (value, cost) or formulas.is_named(node) or node in applied or not is_arithmetic(node.op)
    }
    place = {node: i for i, node in enumerate(chosen)}
    for stop in chosen.values():
        routes: dict[Value, list[Route]] = {}
        waiting: list[tuple[Value, Route]] = [(stop.node, ())] if stop.node is not value else []
        while waiting:
            node, trail = waiting.pop()
            for i, parent in enumerate(node.parents):
                route = ((node, i), *trail)
                if parent in chosen:
                    routes.setdefault(parent, []).append(route)
                elif parent in way:
                    waiting.append((parent, route))
        for parent, edges in sorted(routes.items(), key=lambda route: place[route[0]]):
            stop.parents.append(chosen[parent])
            stop.routes.append(edges[::-1])
            stop.partials.append(exact_sum([math.prod(node.partials[i] for node, i in route) for route in edges]))
    for node in chosen:  # in topological order, so that long formulas are written in terms of earlier names
        if not node.label and len(text(formulas.name(node))) > WIDEST:
            formulas.introduce(node)
    return chosen
