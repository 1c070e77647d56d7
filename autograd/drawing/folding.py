"""Folding: which values of a graph that is too large to read are drawn together, as one box.

Neurons and layers are known by their labels (`w_jk^(l)`, `b_j^(l)`, `z_j^(l)`, `a_j^(l)`); what is left is folded by
likeness, and at last everything far from the cost becomes one box. A folded graph has no cycles either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from autograd.core.graph import topological_order
from autograd.core.value import Value
from autograd.drawing.layout import Edge, ranks
from autograd.explaining.typography import label_parts

FOLDING_LEVELS = ("all", "neurons", "layers")
FEW_EXAMPLES = 3  # examples up to which each keeps its own boxes
KEPT_STEPS = 12  # from the cost back; what is farther away is folded into one box when the graph is too large


@dataclass(eq=False)
class FoldedGroup:
    """Values that are drawn as one box: `kind` is value (a single one), neuron, layer, alike or rest."""

    kind: str
    members: list[Value]
    name: str = ""

    @property
    def value(self) -> Value:
        """The member that the others lead to."""
        return self.members[-1]


def fold(cost: Value, unfold: str | None = None, max_nodes: int = 100) -> list[FoldedGroup]:
    """The graph as groups, parents first: unfolded as far as asked for, else as far as `max_nodes` boxes allow.

    With `unfold` "neurons" or "layers" all of these are shown, and `max_nodes` limits what stands beside them.
    """
    if unfold is None:
        return next(groups for groups in foldings(cost, max_nodes) if len(groups) <= max_nodes)
    order = topological_order(cost)
    groups = [FoldedGroup("value", [value]) for value in order]
    if unfold == "all":
        return groups
    key = {"neurons": _neuron, "layers": _layer}[unfold]
    groups = _ordered(_grouped_by_label(order, unfold[:-1], key)) or groups
    limit = max_nodes + sum(group.kind != "value" for group in groups)
    if len(groups) > limit:
        groups = _alike(groups)
    return groups if len(groups) <= limit else _nearest_groups(groups, limit)


def foldings(cost: Value, max_nodes: int = 100) -> Iterator[list[FoldedGroup]]:
    """The graph as groups, parents first, in fewer and fewer of them, down to two.

    First every value by itself; then what repeats for each example together; then neurons, at first with their weights
    beside them, and layers; then whatever is alike; at last everything far from the cost.
    """
    order = topological_order(cost)
    values = [FoldedGroup("value", [value]) for value in order]
    yield values
    least, smallest = len(values), values
    neurons = _ordered(_grouped_by_label(order, "neuron", _neuron)) or values
    layers = _ordered(_grouped_by_label(order, "layer", _layer)) or values
    beside = _ordered(_grouped_by_label(order, "neuron", _neuron, beside=True)) or values
    for groups, fewer in (
        (values, _repeated),
        (beside, _same),
        (neurons, _same),
        (neurons, _repeated),
        (neurons, _alike),
        (layers, _same),
        (layers, _repeated),
        (layers, _alike),
        (values, _alike),
    ):
        groups = fewer(groups)
        if len(groups) < least:
            least, smallest = len(groups), groups
            yield groups
    counts = dict.fromkeys(min(count, len(smallest) - 1) for count in (max_nodes, 40, 24, 16, 12, 9, 7, 5, 4, 3, 2))
    for count in counts:
        if count >= 2:
            yield _nearest_groups(smallest, count)
    yield [FoldedGroup("rest", order[:-1]), values[-1]]


def _same(groups: list[FoldedGroup]) -> list[FoldedGroup]:
    return groups


def _layer(label: str) -> tuple[str, str] | None:
    base, _, above = label_parts(label) or ("", "", "")
    return (above, "") if base in tuple("wbza") and above.startswith("(") else None


def _neuron(label: str) -> tuple[str, str] | None:
    base, below, above = label_parts(label) or ("", "", "")
    j = below.partition(",")[0] if "," in below or base != "w" else below[:1]
    return (above, j) if _layer(label) else None


def _grouped_by_label(
    order: Sequence[Value], kind: str, key: Callable[[str], tuple[str, str] | None], beside: bool = False
) -> list[FoldedGroup]:
    """Values whose labels share a key together, with the unlabelled steps that lead to nothing else.

    With `beside` the leaves, such as weights, stand by themselves.
    """
    keys: dict[Value, Hashable] = {value: key(value.label) for value in order}
    for value in order:  # the output of a model that was given another name is still its neuron's
        if value.op == "weighted_sum" and keys[value] is None:
            own = {keys[parent] for parent in value.parents if not parent.op} - {None}
            keys[value] = own.pop() if len(own) == 1 else None
    wanted: dict[Value, set[Hashable]] = defaultdict(set)
    for value in reversed(order):
        if value.op and not value.label and len(wanted[value]) == 1:
            keys[value] = next(iter(wanted[value]))
        for parent in value.parents:
            wanted[parent].add(keys[value])
    together: dict[Hashable, list[Value]] = defaultdict(list)
    for value in order:
        together[(keys[value] if value.op or not beside else None) or value].append(value)
    return [
        FoldedGroup("value", members)
        if len(members) == 1
        else FoldedGroup(kind, members, key[0] if isinstance(key, tuple) else "")
        for key, members in together.items()
    ]


def edges_between(groups: Sequence[FoldedGroup]) -> dict[tuple[int, int], list[tuple[Value, int]]]:
    """For each two groups with an edge (their numbers), its edges, each a value and the number of its parent."""
    number = {value: i for i, group in enumerate(groups) for value in group.members}
    edges: dict[tuple[int, int], list[tuple[Value, int]]] = defaultdict(list)
    for i, group in enumerate(groups):
        for value in group.members:
            for position, parent in enumerate(value.parents):
                if number[parent] != i:
                    edges[number[parent], i].append((value, position))
    return edges


def _depths(groups: Sequence[FoldedGroup]) -> list[int]:
    rank = ranks(len(groups), [Edge(tail, head) for tail, head in edges_between(groups)])
    last = max(rank)
    return [last - r for r in rank]


def _ordered(groups: list[FoldedGroup]) -> list[FoldedGroup] | None:
    """The groups with parents first; None when they feed each other in a circle, as a recurrent layer does."""
    try:
        depth = _depths(groups)
    except ValueError:
        return None
    return [groups[i] for i in sorted(range(len(groups)), key=lambda i: -depth[i])]


def _alike(groups: Sequence[FoldedGroup]) -> list[FoldedGroup]:
    """Values together that are computed by one operation from groups that are together, whatever their indices."""

    def own(value: Value) -> Hashable:
        base, _, above = label_parts(value.label) or (value.label, "", "")
        return value.op, base, above

    return _joined(groups, own, FEW_EXAMPLES)


def _repeated(groups: Sequence[FoldedGroup]) -> list[FoldedGroup]:
    """The same step of each example together: values of one name, computed alike. FEW of them stay as they are."""

    def own(value: Value) -> Hashable:
        return value.op, value.label

    return _joined(groups, own, FEW_EXAMPLES)


def _joined(groups: Sequence[FoldedGroup], own: Callable[[Value], Hashable], few: int) -> list[FoldedGroup]:
    """Single values together whose own keys are equal and whose parents are together, if they are more than a few.

    Such groups have no cycle: a group's parents were together before it was.
    """
    number = {value: i for i, group in enumerate(groups) for value in group.members}
    likeness: list[Hashable] = []
    together: dict[Hashable, list[FoldedGroup]] = defaultdict(list)
    identity: dict[Hashable, int] = {}
    for i, group in enumerate(groups):
        shape = tuple(isinstance(x, Value) for x in group.value.operands)
        key: Hashable = (own(group.value), shape) if group.kind == "value" else i
        parents = {number[parent] for value in group.members for parent in value.parents} - {i}
        likeness.append(identity.setdefault((key, frozenset(likeness[p] for p in parents)), len(identity)))
        together[likeness[i]].append(group)
    result = []
    for those in together.values():
        if len(those) > few:
            result.append(FoldedGroup("alike", [value for group in those for value in group.members]))
        else:
            result += those
    return _ordered(result) or list(groups)


def _nearest_groups(groups: Sequence[FoldedGroup], count: int) -> list[FoldedGroup]:
    """The groups nearest to the cost, and all others as one."""
    depth = _depths(groups)
    order = sorted(range(len(groups)), key=lambda i: depth[i])
    near = [i for i in order[: count - 1] if depth[i] <= KEPT_STEPS]
    far = sorted(order[len(near) :])
    return [
        FoldedGroup("rest", [value for i in far for value in groups[i].members]),
        *(groups[i] for i in reversed(near)),
    ]
