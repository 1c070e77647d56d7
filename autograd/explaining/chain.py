"""The chain of the chain rule: the quantities at which its reader pauses, on the way from a value to the cost.

They form a graph of their own, shorter than the one that was recorded. What has no label and is mere arithmetic belongs
to the formula of the step across it, so that in C = (a - y)^2 the factor of a is dC/da = 2 (a - y).
"""

import math
from collections.abc import Container

from autograd.core.graph import topological_order
from autograd.core.value import Value
from autograd.explaining.crossentropy import Logit, cross_entropies
from autograd.explaining.formulas import Formula, Formulas, is_arithmetic, product_of_formulas, sum_of
from autograd.explaining.notation import text
from autograd.explaining.pathsum import ieee_sum, reached, shortened
from autograd.explaining.symbols import Dots, names_in

Route = tuple[tuple[Value, int], ...]  # edges, each a node and which of its parents it comes from

SUMMED = 40  # terms of a factor's formula that are looked at
LONGEST_UNNAMED = 14  # letters in the formula of a quantity that goes without a name


class Link:
    """A quantity on the way, as the chain rule sees it: its parents are the quantities before it on the way.

    It has `parents` and `partials` like a node of the graph, so everything that walks a graph walks the chain as well.
    """

    def __init__(self, node: Value):
        self.node = node
        self.parents: list[Link] = []
        self.partials: list[float] = []
        self.routes: list[list[Route]] = []  # for each parent, all routes from it
        self.logits: list[Logit] = []  # of a cross-entropy, for each parent

    def formula(self, i: int, formulas: Formulas) -> Formula:
        """d self / d parents[i] as a formula: a sum over routes of products; of very many only the ends."""
        if self.logits:
            return Formula(formulas.probability(self.node, self.logits[i]) - formulas.target(self.node, self.logits[i]))
        routes = shortened(self.routes[i], SUMMED // 2)
        dots = Formula(Dots())
        return sum_of(
            [product_of_formulas([formulas.partial(*edge) for edge in route]) if route else dots for route in routes]
        )

    def size(self, i: int) -> float:
        """The sum over the routes from parents[i] of the sizes of their products."""
        if self.logits:
            return abs(self.partials[i])
        return ieee_sum([abs(math.prod(node.partials[k] for node, k in route)) for route in self.routes[i]])


def chain(cost: Value, value: Value, formulas: Formulas) -> dict[Value, Link]:
    """The quantities on the way from the value to the cost, in topological order.

    They are the ends, whatever has a name, and without a name the functions, what those are applied to, and the steps
    of longer arithmetic. Of these, such as have a long formula are given a name.
    """
    way = reached(cost, value)
    losses = cross_entropies(formulas.order, way, value)
    logits = {logit.value for loss in losses.values() for logit in loss}
    applied = {
        parent
        for node in way
        if node is not value and not is_arithmetic(node.op)
        for parent in node.parents
        if parent in way
    }
    chosen = {
        node: Link(node)
        for node in way
        if node in (value, cost)
        or formulas.is_named(node)
        or node in applied
        or not is_arithmetic(node.op)
        or node in losses
        or node in logits
    }
    for loss, found in losses.items():
        formulas.losses[loss] = found
    chosen = connect(chosen, way, value, losses)
    between = {
        node
        for link in chosen.values()
        for parent, routes in zip(link.parents, link.routes)
        for node in steps(parent.node, routes, formulas)
    }
    if between:
        chosen = {node: Link(node) for node in way if node in chosen or node in between}
        chosen = connect(chosen, way, value, losses)
    for node in chosen:  # in topological order, so that long formulas are written in terms of earlier names
        if not node.label and len(text(formulas.alone(node))) > LONGEST_UNNAMED:
            formulas.introduce(node)
    return chosen


def connect(
    chosen: dict[Value, Link], way: Container[Value], value: Value, losses: dict[Value, list[Logit]]
) -> dict[Value, Link]:
    """Give every link its parents, the slope with respect to each, and the routes from it; the links of the cost."""
    place = {node: i for i, node in enumerate(chosen)}
    for link in chosen.values():
        if link.node in losses:
            link.logits = [logit for logit in losses[link.node] if logit.value in chosen]
            link.parents = [chosen[logit.value] for logit in link.logits]
            link.partials = [logit.slope for logit in link.logits]
            link.routes = [[] for _ in link.logits]
            continue
        routes: dict[Value, list[Route]] = {}
        waiting: list[tuple[Value, Route]] = [(link.node, ())] if link.node is not value else []
        while waiting:
            node, trail = waiting.pop()
            for i, parent in enumerate(node.parents):
                route = ((node, i), *trail)
                if parent in chosen:
                    routes.setdefault(parent, []).append(route)
                elif parent in way:
                    waiting.append((parent, route))
        for parent, edges in sorted(routes.items(), key=lambda route: place[route[0]]):
            link.parents.append(chosen[parent])
            link.routes.append(edges[::-1])
            link.partials.append(ieee_sum([math.prod(node.partials[i] for node, i in route) for route in edges]))
    last = next(reversed(chosen.values()), None)
    used = set(topological_order(last)) if last else set()
    return {node: link for node, link in chosen.items() if link in used}


SUM_ROWS, PRODUCT_ROWS = {"add", "sub", "sum"}, {"mul", "div", "prod", "neg"}


def steps(start: Value, routes: list[Route], formulas: Formulas) -> list[Value]:
    """The quantities without a name that are worth a pause between two others, where all routes meet.

    Of additions after one another the last, of multiplications too. A factor that is a mere number is left to its
    neighbour: dC/da = 2 (a - y) is one factor.
    """
    if not routes or len(routes) > SUMMED or max(map(len, routes)) == 1:
        return []
    shared = set.intersection(*({node for node, _ in route} for route in routes))
    *inner, end = (node for node, _ in routes[0] if node in shared)
    alike = lambda x, y: any(x.op in kind and y.op in kind for kind in (SUM_ROWS, PRODUCT_ROWS))  # noqa: E731
    inner = [node for node, after in zip(inner, [*inner[1:], end]) if not alike(node, after)]

    def is_number(a: Value, b: Value) -> bool:
        parts = {part for route in routes if (part := part_of(route, a, b))}
        whole = sum_of([product_of_formulas([formulas.partial(*edge) for edge in part]) for part in parts])
        return not any(names_in(whole.symbol))

    hidden = True
    while inner and hidden:
        ends = {start: inner[0], inner[-1]: end}
        hidden = next((b if a is start else a for a, b in ends.items() if is_number(a, b)), None)
        inner = [node for node in inner if node is not hidden]
    return inner


def part_of(route: Route, a: Value, b: Value) -> Route:
    """The edges of a route that lead from one of its values to another."""
    nodes = [node for node, _ in route]
    return route[nodes.index(a) + 1 if a in nodes else 0 : nodes.index(b) + 1]
