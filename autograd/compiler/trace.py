"""Trace: the scalar graph as flat lists, parents first, with equal subexpressions shared.

A trace holds no reference to a node. It is what the later steps rewrite, and what is interpreted, one scalar at a time
and exactly as the eager engine does, where array code cannot be used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from autograd.graph import topological_order
from autograd.value import Value

LEAF, CONSTANT = "", "constant"


@dataclass
class Trace:
    """Scalar node `i` is `ops[i]` of the nodes `operands[i]`; leaves and constants have none.

    Attributes:
        roots: the nodes whose values are asked for.
        leaves: the leaf nodes, the parameters first, then the inputs, then all others.
        constants: the value of each constant node.
        labels: the label of each labelled node.
        size: how many scalar nodes the graph had.
    """

    ops: list[str] = field(default_factory=list)
    operands: list[tuple[int, ...]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    constants: dict[int, float] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    size: int = 0

    @cached_property
    def flat(self) -> np.ndarray:
        """The operands of all nodes in a row."""
        return np.fromiter(chain.from_iterable(self.operands), int)

    def add(self, op: str, operands: tuple[int, ...] = ()) -> int:
        """Append a node and return its number."""
        self.ops.append(op)
        self.operands.append(operands)
        return len(self.ops) - 1


class Numbers(dict[Any, int]):
    """The numbers of nodes and constants; a constant that is asked for the first time is added to the trace."""

    def __init__(self, traced: Trace):
        super().__init__()
        self.traced = traced

    def __missing__(self, x: Any) -> int:
        key = x if x else str(x)  # tells -0.0 from 0.0
        if key not in self:
            self[key] = i = self.traced.add(CONSTANT)
            self.traced.constants[i] = x
        return self[key]


def trace(roots: Sequence[Value], leaves: Sequence[Value]) -> tuple[Trace, list[Value]]:
    """The graph of the roots, and its leaves: those given, in their order, then the others in order of first use."""
    traced = Trace()
    ops, operand_lists, labels = traced.ops, traced.operands, traced.labels
    number = Numbers(traced)
    known: dict[tuple[str, tuple[int, ...]], int] = {}
    all_leaves = list(leaves)
    for leaf in leaves:
        number[leaf] = traced.add(LEAF)
    order = topological_order(*roots)
    for node in order:
        x, y = node._x, node._y
        if y is None and x is None:
            if node not in number:
                number[node] = traced.add(LEAF)
                all_leaves.append(node)
            continue
        if type(x) is tuple:
            operands = tuple([number[x] for x in x])
        else:
            operands = (number[x],) if y is None else (number[x], number[y])
        key = (node.op, operands)
        i = known.get(key)
        if i is None:
            known[key] = i = len(ops)
            ops.append(node.op)
            operand_lists.append(operands)
            if node.label:
                labels[i] = node.label
        number[node] = i
    traced.leaves = [number[leaf] for leaf in all_leaves]
    labels.update((number[leaf], leaf.label) for leaf in all_leaves if leaf.label)
    traced.roots = [number[root] for root in roots]
    traced.size = len(order)
    return traced, all_leaves
